// Questions to the studio over HTTP. An answer that is not one is a Refused error with the studio's own sentence.

/** The studio has refused: `status` of HTTP, 0 where it cannot be reached; `content` is its answer. */
export class Refused extends Error {
  constructor(status, content) {
    super(content.error ?? "the studio cannot be reached");
    this.status = status;
    this.content = content;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(0, {});
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, content);
  return content;
}

function sent(method, content) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}

const named = (path) => path.split("/").map(encodeURIComponent).join("/");

export const api = {
  state: () => ask("/api/state"),
  read: (file) => ask(`/api/files/${named(file)}`),
  write: (file, text, revision) => ask(`/api/files/${named(file)}`, sent("PUT", { text, revision })),
  shipped: () => ask("/api/shipped"),
  train: (file, revision, variant) => ask("/api/train", sent("POST", { file, revision, variant })),
  resume: (run) => ask("/api/resume", sent("POST", { run })),
  stop: () => ask("/api/stop", sent("POST", {})),
  language: (question, content) => ask(`/api/language/${question}`, sent("POST", content)),
  /** Ask a question on a run; a drawing is sent as a PNG. */
  run(run, what, query = {}, png = null) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const path = `/api/runs/${what}/${named(run)}?${new URLSearchParams(given)}`;
    return ask(path, png === null ? {} : { method: "POST", headers: { "Content-Type": "image/png" }, body: png });
  },
};
