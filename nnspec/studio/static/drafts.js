// Text that is not saved yet, kept in the browser: each tab has its own, so that two tabs do not overwrite each other.

const PREFIX = "nnspec-studio";
let tab = sessionStorage.getItem(`${PREFIX}-tab`);

/** Take the name of this tab. A tab that was duplicated has the name of the first, and takes a new one. */
export async function claimTab() {
  for (;;) {
    tab ??= Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (await held(tab)) break;
    tab = null;
  }
  sessionStorage.setItem(`${PREFIX}-tab`, tab);
  return tab;
}

function held(name) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(`${PREFIX}-${name}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {}); // held until the tab is gone
    });
  });
}

const key = (folder, file, owner = tab) => JSON.stringify([PREFIX, folder, owner, file]);

/** Keep a text with the revision of the file that it began from. */
export function keepDraft(folder, file, text, base) {
  try {
    localStorage.setItem(key(folder, file), JSON.stringify({ text, base, at: Date.now() }));
    return true;
  } catch {
    return false; // the browser keeps nothing, or is full
  }
}

export function dropDraft(folder, file, owner = tab) {
  localStorage.removeItem(key(folder, file, owner));
}

/** Return this tab's draft of a file, or null. */
export function ownDraft(folder, file) {
  return parsed(localStorage.getItem(key(folder, file)));
}

/** Return the drafts of a folder that tabs have left which are gone, each with its file and owner, the newest first. */
export async function leftDrafts(folder) {
  const alive = new Set((await navigator.locks?.query())?.held.map(({ name }) => name) ?? []);
  const found = [];
  for (let i = 0; i < localStorage.length; i += 1) {
    const name = parsed(localStorage.key(i));
    if (!Array.isArray(name) || name[0] !== PREFIX || name[1] !== folder || name[2] === tab) continue;
    if (alive.has(`${PREFIX}-${name[2]}`)) continue;
    const draft = parsed(localStorage.getItem(localStorage.key(i)));
    if (draft) found.push({ ...draft, owner: name[2], file: name[3] });
  }
  return found.sort((a, b) => b.at - a.at);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
