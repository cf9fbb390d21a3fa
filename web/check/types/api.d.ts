// Short names for the bodies of docs/openapi.yaml; web/check/run makes the file that they come from.
import type { components } from "../node_modules/.api";

type Schemas = components["schemas"];
export type Comment = Schemas["CommentBody"];
export type Instance = Schemas["InstanceBody"];
export type LinkPreview = Schemas["LinkPreviewBody"];
export type Media = Schemas["MediaBody"];
export type Mention = Schemas["MentionBody"];
export type Notification = Schemas["NotificationBody"];
/** `muted` is only known on this device. */
export type Post = Schemas["PostBody"] & { muted?: boolean };
/** In lists often without what only a profile's own page shows. */
export type Person = Pick<Schemas["ProfileBody"], "id" | "username"> & Partial<Schemas["ProfileBody"]>;
export type Erasure = Schemas["ErasureBody"];
export type Action = Schemas["ActionBody"];
export type Appeal = Schemas["AppealBody"];
export type Report = Schemas["ReportBody"];
export type User = Schemas["UserBody"];
