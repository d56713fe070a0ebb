// The studio's page: what it knows of the folder and the training, the views, the training's place in the head.
import { made } from "/static/web/workbench.js";
import { api } from "./api.js";
import { createDraw } from "./draw.js";
import { createFeatures } from "./features.js";
import { createPasses } from "./passes.js";
import { createRuns } from "./runs.js";
import { createWrite } from "./write.js";

const VIEWS = [
  ["write", "Write", createWrite],
  ["runs", "Train", createRuns],
  ["draw", "Draw", createDraw],
  ["features", "Features", createFeatures],
  ["passes", "Passes", createPasses],
];
const PHASES = { starting: "starting", running: "training", stopping: "saving", done: "done", stopped: "stopped", diverged: "diverged", failed: "failed" };
const AGAIN_SECONDS = 2;

/** What the views share: the state as the studio last told it, who listens, and the run that is looked at. */
const studio = {
  state: null,
  run: null,
  listeners: new Map(),
  /** Call `listen` with each message of a kind. */
  on(kind, listen) {
    studio.listeners.set(kind, [...(studio.listeners.get(kind) ?? []), listen]);
  },
  tell(kind, message) {
    for (const listen of studio.listeners.get(kind) ?? []) listen(message);
  },
  /** Look at a run in every view. */
  choose(run) {
    if (studio.run === run) return;
    studio.run = run;
    studio.tell("run", run);
  },
  /** Whether a process trains. */
  training: () => ["starting", "running", "stopping"].includes(studio.state?.training?.phase),
  go,
  notice,
  /** Do something that the studio may refuse, and show the refusal. */
  async attempt(action) {
    try {
      return await action();
    } catch (error) {
      notice("refused", error.message, [], "error");
      return undefined;
    }
  },
};

/** Show a notice in the place of the one of the same key, with buttons [text, action]; a text of null removes it. */
function notice(key, text, actions = [], look = "") {
  const place = document.getElementById("notices");
  place.querySelector(`[data-key="${key}"]`)?.remove();
  if (text === null) return;
  const box = made("div", `notice ${look}`, { "data-key": key });
  box.append(made("span", "", {}, text));
  for (const [label, action] of actions) {
    const button = made("button", "", { type: "button" }, label);
    button.addEventListener("click", () => {
      box.remove();
      action();
    });
    box.append(button);
  }
  const close = made("button", "close", { type: "button", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => box.remove());
  box.append(close);
  place.append(box);
}

const tabs = document.querySelector(".tabs");
const sections = new Map();
const views = new Map();

for (const [name, label] of VIEWS) {
  const tab = made("button", "", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name }, label);
  tab.addEventListener("click", () => go(name));
  tabs.append(tab);
  const section = made("section", "", { role: "tabpanel", id: name, "aria-labelledby": `tab-${name}` });
  document.querySelector("main").append(section);
  sections.set(name, section);
}
tabs.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...tabs.children];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  next.click();
});

function go(name) {
  for (const [each, section] of sections) {
    const chosen = each === name;
    section.hidden = !chosen;
    const tab = document.getElementById(`tab-${each}`);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  sessionStorage.setItem("view", name);
  views.get(name)?.show?.();
}

const job = document.getElementById("job");
const said = made("span", "job-text", { role: "status" });
const bar = made("progress", "", { "aria-label": "Steps", max: "1", value: "0" });
const stop = made("button", "", { type: "button", id: "stop" }, "Stop");
stop.addEventListener("click", () => studio.attempt(api.stop));
job.append(said, bar, stop);
said.addEventListener("click", () => go("runs"));

function drawJob() {
  const training = studio.state?.training;
  job.hidden = !training;
  if (!training) return;
  const total = training.total ?? 0;
  const share = total ? ` ${Math.floor((100 * training.step) / total)} %` : "";
  const running = studio.training();
  const what = training.run ?? training.label;
  said.textContent = `${what}: ${PHASES[training.phase]}${running ? share : `, step ${training.step.toLocaleString("en")}`}`;
  bar.hidden = !running;
  bar.max = total || 1;
  bar.value = training.step;
  stop.hidden = !running;
  stop.textContent = training.phase === "stopping" ? "Stop at once" : "Stop";
  document.title = running && total ? `${Math.floor((100 * training.step) / total)} % · nnspec studio` : "nnspec studio";
}

function told(message) {
  const { state } = studio;
  if (message.kind === "missed") return refresh();
  if (message.kind === "state") {
    const other = state !== null && state.started !== message.started;
    studio.state = message;
    document.getElementById("folder").textContent = message.folder;
    if (other) notice("restarted", null);
    studio.tell("state", message);
    settleRun();
  } else if (state === null || message.revision <= state.revision) {
    return undefined;
  }
  studio.state.revision = message.revision;
  if (message.kind === "training") {
    const before = state.training;
    const losses = before && before.run === message.training.run ? before.losses ?? [] : [];
    const { step, loss, phase } = message.training;
    const fresh = phase === "starting" ? [] : loss !== null && losses.at(-1)?.[0] !== step ? [...losses, [step, loss]] : losses;
    state.training = { ...message.training, losses: fresh.length > 1200 ? fresh.filter((_, i) => i % 2) : fresh };
    if (message.training.run && before?.run !== message.training.run) studio.choose(message.training.run);
  } else if (message.kind === "folder") {
    Object.assign(state, { files: message.files, runs: message.runs });
    settleRun();
  }
  if (message.kind !== "state") studio.tell(message.kind, message);
  if (message.kind === "state" || message.kind === "training") {
    if (message.kind === "state") studio.tell("training", message);
    drawJob();
  }
  return undefined;
}

/** Look at a run that there is: the newest, if none is chosen or the chosen one is gone. */
function settleRun() {
  const names = studio.state.runs.map(({ name }) => name);
  if (!names.includes(studio.run)) studio.choose(studio.state.training?.run ?? names[0] ?? null);
}

let source = null;

/** Listen to the studio while the page is seen: a browser has six connections to a host, and a hidden tab needs none. */
function listen() {
  source?.close();
  source = null;
  if (document.hidden) return;
  const mine = new EventSource("/api/events");
  source = mine;
  mine.addEventListener("message", (event) => {
    notice("gone", null);
    told(JSON.parse(event.data));
  });
  mine.addEventListener("error", async () => {
    if (source !== mine) return;
    mine.close();
    source = null;
    try {
      await api.state();
    } catch (error) {
      const advice = error.status === 401
        ? "The studio was started again: open the link that it printed. What you wrote is kept in this browser."
        : "The studio does not answer; start nnspec studio again. What you wrote is kept in this browser.";
      notice("gone", advice, [], "error");
      if (error.status === 401) return;
    }
    setTimeout(() => source === null && listen(), 1000 * AGAIN_SECONDS);
  });
}

async function refresh() {
  told({ kind: "state", ...(await api.state()), revision: studio.state?.revision ?? 0 });
}

document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (event) => event.persisted && listen());

studio.state = await api.state().catch((error) => {
  notice("gone", error.message, [], "error");
  return null;
});
if (studio.state !== null) {
  studio.state.revision = 0;
  document.getElementById("folder").textContent = studio.state.folder;
  for (const [name, , create] of VIEWS) views.set(name, create(sections.get(name), studio));
  go(sections.has(sessionStorage.getItem("view")) ? sessionStorage.getItem("view") : "write");
  settleRun();
  drawJob();
  listen();
}
