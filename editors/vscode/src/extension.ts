// The client: starts `nnspec lsp` and connects the editor to it.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("nnspec.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("nnspec.command")) {
        void restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

async function start(): Promise<void> {
  const [command, ...args] = vscode.workspace.getConfiguration("nnspec").get<string[]>("command", []);
  if (command === undefined) {
    return; // an empty command: colours only
  }
  client = new LanguageClient(
    "nnspec",
    "nnspec",
    { command, args },
    { documentSelector: [{ language: "nnspec" }], synchronize: {} },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const choice = await vscode.window.showErrorMessage(
      `nnspec: the language server does not start (${reason}). Install it with: pip install 'nnspec[lsp]'; ` +
        `if it is installed in an environment, set nnspec.command to its command.`,
      "Open the setting",
    );
    if (choice !== undefined) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "nnspec.command");
    }
  }
}
