"""Views of media: uploading, describing, and sending the files themselves."""

import hashlib
from collections.abc import Callable, Sequence
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.posts import access, actions, presenters
from apps.posts.access import ServedFile
from apps.posts.actions import Upload
from apps.posts.serializers import MediaChange, NewMedia, NewUpload, UploadBody
from socialapp.core.errors import Problem
from socialapp.core.ids import new_id
from socialapp.core.media import stores
from socialapp.core.media.formats import HEAD_BYTES
from socialapp.http import etags
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.parsing import FormParser
from socialapp.http.permissions import Public
from socialapp.http.problems import problem_response, reading_only
from socialapp.http.schema import ProblemBody
from socialapp.http.serializers import MediaBody
from socialapp.http.views import View

_YEAR = 31_536_000


class NewMediaView(View):
    """`/media`: new media."""

    has_idempotency_key = True
    parser_classes = [FormParser]
    received_files: Sequence[UploadedFile[bytes]] = ()

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        """Closes the uploaded files, which deletes them."""
        for file in self.received_files:
            file.close()
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(
        summary="Upload a picture or video",
        description="As multipart/form-data. Processed after the response: poll `GET /media/{id}` until it is"
        " `ready` or `failed`, or wait for the socket's message. For larger files use `POST /media/uploads`. Safe to"
        " repeat with Idempotency-Key.",
        request={"multipart/form-data": NewMedia},
        responses={202: MediaBody},
    )
    def post(self, request: Request) -> Response:
        """202 with the media, to be processed soon."""
        sent = self.read_input(NewMedia)
        file: UploadedFile[bytes] = sent["file"]
        description = sent.get("description", "")
        body = {"file": _digest(file), "description": description}
        if answer := replayed(request, context="posts", body=body):
            return answer
        size = file.size or 0
        upload = Upload(
            file_format=actions.accepted_format(file.read(HEAD_BYTES), size=size),
            size=size,
            content=cast(IO[bytes], file.file),
        )
        file.seek(0)
        media_id = actions.store_upload(upload)

        def create() -> tuple[int, dict[str, Any]]:
            media = actions.create_media(
                media_id=media_id, user_id=self.principal.id, upload=upload, description=description
            )
            return 202, presenters.media_body(media)

        return create_once(request, context="posts", create=create, body=body)


class UploadsView(View):
    """`/media/uploads`: uploads that go straight to the store."""

    has_idempotency_key = True
    location = "/v1/media/{id}"

    @extend_schema(
        summary="Start the upload of a large file",
        description="Returns the URL to PUT the file to, with exactly the given headers; then `POST"
        " /media/{id}/complete`. A resumable upload is sent in parts, in any order; `GET /media/{id}/upload` shows"
        " which have arrived.",
        request=NewUpload,
        responses={201: UploadBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the URL to upload to."""
        if answer := replayed(request, context="posts"):
            return answer
        sent = {"description": "", "resumable": False, **self.read_input(NewUpload)}

        def create() -> tuple[int, dict[str, Any]]:
            media = actions.begin_upload(media_id=new_id(), user_id=self.principal.id, **sent)
            return 201, presenters.upload_body(media)

        return create_once(request, context="posts", create=create)


class UploadView(View):
    """`/media/{id}/upload`: an upload that goes straight to the store, until it is completed."""

    @extend_schema(
        summary="Resume an upload",
        description="Returns new URLs, and which parts have arrived.",
        responses={200: UploadBody, 409: OpenApiResponse(ProblemBody, description="The upload is completed.")},
    )
    def get(self, request: Request, media_id: int) -> Response:
        """The same body as `POST /media/uploads`."""
        media = actions.open_upload(user_id=self.principal.id, media_id=media_id)
        return Response(presenters.upload_body(media, sizes=actions.sizes_in_store(media)))


class UploadContentView(View):
    """`/media/{id}/content`: the file of an upload, if the store is a folder of this server."""

    permission_classes = [Public]
    parser_classes: list[Any] = []

    @extend_schema(
        summary="Send the file of an upload",
        description="Use the whole URL from `POST /media/uploads`; no token is needed. The body must have exactly the "
        "announced length.",
        parameters=[
            OpenApiParameter("part", int, description="Number of the part of a resumable upload, from 1."),
            OpenApiParameter("expires", int, description="Seconds since 1970."),
            OpenApiParameter("signature", str),
        ],
        request={"application/octet-stream": {"type": "string", "format": "binary"}},
        responses={204: None},
    )
    def put(self, request: Request, media_id: int) -> Response:
        """204; it may be repeated until the upload is completed."""
        actions.receive_content(
            media_id=media_id,
            number=request.query_params.get("part", "1"),
            expires=request.query_params.get("expires", ""),
            signature=request.query_params.get("signature", ""),
            content=cast(IO[bytes], request._request),
        )
        return Response(status=204)


class CompleteUploadView(View):
    """`/media/{id}/complete`: the end of an upload straight to the store."""

    @extend_schema(
        summary="Complete an upload",
        description="Call this after the PUT. 409 if the file has not arrived. Idempotent.",
        request=None,
        responses={202: MediaBody},
    )
    def post(self, request: Request, media_id: int) -> Response:
        """202 with the media, to be processed soon."""
        media = actions.complete_upload(user_id=self.principal.id, media_id=media_id)
        return Response(presenters.media_body(media), status=202)


class MediaView(View):
    """`/media/{id}`: one of the caller's media."""

    has_etag = True

    @extend_schema(
        summary="Read one of your media",
        description="`status` is the progress of processing; if it is `failed`, `error_code` and `error` have the"
        " reason.",
        responses=MediaBody,
    )
    def get(self, request: Request, media_id: int) -> Response:
        """The media; 404 for anybody else's."""
        media = access.own_media(user_id=self.principal.id, media_id=media_id)
        return etags.single(request, body=presenters.media_body(media), version=media.version)

    @extend_schema(
        summary="Describe one of your media",
        description="A text alternative of up to 1,500 characters; also updated in the post that shows it.",
        request=MediaChange,
        responses=MediaBody,
    )
    def patch(self, request: Request, media_id: int) -> Response:
        """The changed media."""
        sent = self.read_input(MediaChange)
        versions = etags.expected_versions(request)
        media = actions.describe_media(user_id=self.principal.id, media_id=media_id, expected_versions=versions, **sent)
        return etags.single(request, body=presenters.media_body(media), version=media.version)

    @extend_schema(
        summary="Delete one of your media",
        description="Returns 409 while a post or your profile shows it.",
        responses={204: None},
    )
    def delete(self, request: Request, media_id: int) -> Response:
        """204."""
        versions = etags.expected_versions(request)
        actions.delete_media(user_id=self.principal.id, media_id=media_id, expected_versions=versions)
        return Response(status=204)


@reading_only
def media_file(request: HttpRequest, media_id: int, file_name: str) -> HttpResponseBase:
    """A file of some media: for anybody while it is public, else for holders of a valid signed URL."""
    expires, signature = request.GET.get("expires", ""), request.GET.get("signature", "")
    return _answer(
        lambda: access.served_file(media_id=media_id, file_name=file_name, expires=expires, signature=signature)
    )


@reading_only
def link_file(request: HttpRequest, url_key: str, file_name: str) -> HttpResponseBase:
    """The picture of a link's preview, for anybody."""
    return _answer(lambda: access.served_link_file(url_key=url_key, file_name=file_name))


def _answer(find: Callable[[], ServedFile]) -> HttpResponseBase:
    try:
        file = find()
        response = _sent(file)
    except Problem as problem:
        response = problem_response(problem)
        response["Cache-Control"] = "no-store"
        return response
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = _cache_control(file)
    return response


def _sent(file: ServedFile) -> HttpResponseBase:
    if stores.is_s3():
        seconds = settings.MEDIA_LINK_SECONDS
        url = stores.download_url(
            file.name, seconds=seconds, content_type=file.content_type, cache_control=_cache_control(file)
        )
        return HttpResponseRedirect(url)
    if settings.MEDIA_ACCEL:
        response = HttpResponse(content_type=file.content_type)
        response["X-Accel-Redirect"] = f"/_media/{file.name}"
        return response
    try:
        return FileResponse(stores.local_path(file.name).open("rb"), content_type=file.content_type)
    except FileNotFoundError:
        return problem_response(access.no_such_file())


def _cache_control(file: ServedFile) -> str:
    if stores.is_s3():
        # Caches store the redirect to the bucket, which must not outlive the signed URL.
        return f"{'public' if file.seconds is None else 'private'}, max-age={settings.MEDIA_LINK_SECONDS // 2}"
    if file.seconds is None:
        return f"public, max-age={_YEAR}, immutable"
    return f"private, max-age={file.seconds}, immutable"


def _digest(file: UploadedFile[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
