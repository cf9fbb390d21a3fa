"""The sentences of notifications in the supported languages, and the choice of a person's language."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.notifications.models import Kind
from socialapp.core.text.names import isolated

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language. Sentences are by kind: for one person, and for several."""

    conjunction: str  # between the last two of several names
    someone: str
    people: str
    other: str
    others: str
    post: str
    comment: str
    sentences: dict[str, tuple[str, str]]
    sensitive: str
    moderation: str
    digest_subject: str
    digest_intro_one: str
    digest_intro: str
    more: str
    open: str
    unsubscribe: str
    why: str


LANGUAGES: dict[str, Language] = {
    "en": Language(
        conjunction="and",
        someone="Someone",
        people="{count} people",
        other="{count} other",
        others="{count} others",
        post="post",
        comment="comment",
        sentences={
            Kind.NEW_POST: ("{who} wrote a new post.", "{who} wrote a new post."),
            Kind.FOLLOW: ("{who} followed you.", "{who} followed you."),
            Kind.FOLLOW_REQUEST: ("{who} would like to follow you.", "{who} would like to follow you."),
            Kind.FOLLOW_ACCEPTED: ("{who} accepted your follow request.", "{who} accepted your follow request."),
            Kind.COMMENT: ("{who} commented on your post.", "{who} commented on your post."),
            Kind.REPLY: ("{who} replied to your comment.", "{who} replied to your comment."),
            Kind.MENTION: ("{who} mentioned you in a {target}.", "{who} mentioned you in a {target}."),
            Kind.REACTION: ("{who} reacted to your {target}.", "{who} reacted to your {target}."),
            Kind.REPOST: ("{who} reposted your post.", "{who} reposted your post."),
        },
        sensitive="Sensitive content",
        moderation="A message from the moderators",
        digest_subject="What you missed",
        digest_intro_one="You have one unread notification.",
        digest_intro="You have {count} unread notifications.",
        more="and {count} more",
        open="Open",
        unsubscribe="Unsubscribe from these mails",
        why="You receive this mail because of your notification preferences.",
    ),
    "de": Language(
        conjunction="und",
        someone="Jemand",
        people="{count} Personen",
        other="{count} weitere Person",
        others="{count} weitere",
        post="Beitrag",
        comment="Kommentar",
        sentences={
            Kind.NEW_POST: (
                "{who} hat einen neuen Beitrag geschrieben.",
                "{who} haben einen neuen Beitrag geschrieben.",
            ),
            Kind.FOLLOW: ("{who} folgt dir.", "{who} folgen dir."),
            Kind.FOLLOW_REQUEST: ("{who} möchte dir folgen.", "{who} möchten dir folgen."),
            Kind.FOLLOW_ACCEPTED: (
                "{who} hat deine Folgeanfrage angenommen.",
                "{who} haben deine Folgeanfrage angenommen.",
            ),
            Kind.COMMENT: ("{who} hat deinen Beitrag kommentiert.", "{who} haben deinen Beitrag kommentiert."),
            Kind.REPLY: (
                "{who} hat auf deinen Kommentar geantwortet.",
                "{who} haben auf deinen Kommentar geantwortet.",
            ),
            Kind.MENTION: ("{who} hat dich in einem {target} erwähnt.", "{who} haben dich in einem {target} erwähnt."),
            Kind.REACTION: ("{who} hat auf deinen {target} reagiert.", "{who} haben auf deinen {target} reagiert."),
            Kind.REPOST: ("{who} hat deinen Beitrag geteilt.", "{who} haben deinen Beitrag geteilt."),
        },
        sensitive="Heikler Inhalt",
        moderation="Eine Nachricht der Moderation",
        digest_subject="Was du verpasst hast",
        digest_intro_one="Du hast eine ungelesene Benachrichtigung.",
        digest_intro="Du hast {count} ungelesene Benachrichtigungen.",
        more="und {count} weitere",
        open="Öffnen",
        unsubscribe="Diese Mails abbestellen",
        why="Du bekommst diese Mail, weil deine Benachrichtigungseinstellungen sie vorsehen.",
    ),
    "fr": Language(
        conjunction="et",
        someone="Quelqu’un",
        people="{count} personnes",
        other="{count} autre",
        others="{count} autres",
        post="publication",
        comment="commentaire",
        sentences={
            Kind.NEW_POST: ("{who} a publié un nouveau message.", "{who} ont publié un nouveau message."),
            Kind.FOLLOW: ("{who} vous suit.", "{who} vous suivent."),
            Kind.FOLLOW_REQUEST: ("{who} souhaite vous suivre.", "{who} souhaitent vous suivre."),
            Kind.FOLLOW_ACCEPTED: (
                "{who} a accepté votre demande d’abonnement.",
                "{who} ont accepté votre demande d’abonnement.",
            ),
            Kind.COMMENT: ("{who} a commenté votre publication.", "{who} ont commenté votre publication."),
            Kind.REPLY: ("{who} a répondu à votre commentaire.", "{who} ont répondu à votre commentaire."),
            Kind.MENTION: ("{who} vous a mentionné.", "{who} vous ont mentionné."),
            Kind.REACTION: ("{who} a réagi à votre {target}.", "{who} ont réagi à votre {target}."),
            Kind.REPOST: ("{who} a partagé votre publication.", "{who} ont partagé votre publication."),
        },
        sensitive="Contenu sensible",
        moderation="Un message de la modération",
        digest_subject="Ce que vous avez manqué",
        digest_intro_one="Vous avez une notification non lue.",
        digest_intro="Vous avez {count} notifications non lues.",
        more="et {count} de plus",
        open="Ouvrir",
        unsubscribe="Se désabonner de ces messages",
        why="Vous recevez ce message parce que vos préférences de notification le demandent.",
    ),
    "es": Language(
        conjunction="y",
        someone="Alguien",
        people="{count} personas",
        other="{count} más",
        others="{count} más",
        post="publicación",
        comment="comentario",
        sentences={
            Kind.NEW_POST: ("{who} ha escrito una publicación.", "{who} han escrito una publicación."),
            Kind.FOLLOW: ("{who} te sigue.", "{who} te siguen."),
            Kind.FOLLOW_REQUEST: ("{who} quiere seguirte.", "{who} quieren seguirte."),
            Kind.FOLLOW_ACCEPTED: ("{who} ha aceptado tu solicitud.", "{who} han aceptado tu solicitud."),
            Kind.COMMENT: ("{who} ha comentado tu publicación.", "{who} han comentado tu publicación."),
            Kind.REPLY: ("{who} ha respondido a tu comentario.", "{who} han respondido a tu comentario."),
            Kind.MENTION: ("{who} te ha mencionado.", "{who} te han mencionado."),
            Kind.REACTION: ("{who} ha reaccionado a tu {target}.", "{who} han reaccionado a tu {target}."),
            Kind.REPOST: ("{who} ha compartido tu publicación.", "{who} han compartido tu publicación."),
        },
        sensitive="Contenido sensible",
        moderation="Un mensaje de la moderación",
        digest_subject="Lo que te has perdido",
        digest_intro_one="Tienes una notificación sin leer.",
        digest_intro="Tienes {count} notificaciones sin leer.",
        more="y {count} más",
        open="Abrir",
        unsubscribe="Cancelar la suscripción a estos correos",
        why="Recibes este correo porque así lo piden tus preferencias de notificación.",
    ),
}


def best_language(accepted: str) -> str:
    """The best supported language in an Accept-Language header; "" if there is none.

    Source: RFC 9110, 12.5.4; a range such as `de-AT` means `de`.
    """
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and weight > 0:
            ranked.append((-weight, place, language))
    return min(ranked)[2] if ranked else ""


def language_named(name: str) -> Language:
    """The language called `name`, English if there is none."""
    return LANGUAGES.get(name) or LANGUAGES[DEFAULT_LANGUAGE]


def message_text(
    kind: str, *, names: Sequence[str], count: int, target_type: str, language: str = DEFAULT_LANGUAGE
) -> str:
    """The sentence about `count` people, the newest of whom have `names` (which may be empty)."""
    chosen = language_named(language)
    one, several = chosen.sentences[kind]
    target = chosen.comment if target_type == "comment" else chosen.post
    return (one if count <= 1 else several).format(who=_who(chosen, names, count), target=target)


def _who(language: Language, names: Sequence[str], count: int) -> str:
    if not names:
        return language.someone if count <= 1 else language.people.format(count=count)
    shown = [isolated(name) for name in names]
    others = count - len(shown)
    if others <= 0:
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {language.conjunction} {shown[-1]}"
    rest = (language.other if others == 1 else language.others).format(count=others)
    return f"{', '.join(shown)} {language.conjunction} {rest}"
