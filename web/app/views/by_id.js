// Addresses by id: of a comment alone, and of a person, whose name may change. They go on to where it is shown.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { get } from "../api/client.js";
import { putPerson } from "../state/entities.js";
import { go, route } from "../state/router.js";
import { useReading } from "../components/reading.js";
import { Skeleton } from "../components/skeleton.js";
import { Failed } from "../components/states.js";
import { NotFound } from "./not_found.js";

/** @type {Record<string, (id: string) => Promise<string>>} */
const PLACES = {
  async comment(id) {
    const comment = await get(`/comments/${id}`);
    return `/posts/${comment.post_id}?comment=${id}`;
  },
  async person(id) {
    const person = await get(`/profiles/${id}`);
    putPerson(person);
    return `/@${person.username}`;
  },
};

export function View() {
  const { name, params } = route.value;
  const [problem, read] = useReading(async () => go(await PLACES[name](params.id), { replace: true }));
  useEffect(() => void read(), [params.id]);
  if (problem?.status === 404) return html`<${NotFound} />`;
  return problem ? html`<${Failed} problem=${problem} onRetry=${read} />` : html`<${Skeleton} number=${1} />`;
}
