/* Keeping the keyboard's place while what stands around it is drawn anew. */

/** Remember what has the focus; the answer gives it back, or the nearest that is still there. */
export function rememberFocus() {
  const held = document.activeElement;
  if (!held || held === document.body) return () => {};
  const key = held.closest("[data-key]")?.dataset.key;
  const inside = held.closest("[data-ts], [data-form]");
  const [own, ts] = [inside?.dataset.form, inside?.dataset.ts];
  const list = held.closest("[data-list]")?.dataset.list;
  const caret = held.matches("input[type=text], textarea")
    ? [held.selectionStart, held.selectionEnd]
    : null;
  return () => {
    if (held.isConnected && document.activeElement === held) return;
    const scope = ts
      ? document.querySelector(`[data-list="${list}"] [data-ts="${ts}"]`)
      : own && document.querySelector(`[data-form="${own}"]`);
    const again = held.isConnected ? held : (find(scope, key) ?? scope);
    again?.focus({ preventScroll: true });
    if (again && document.activeElement !== again) scope?.focus({ preventScroll: true });
    if (caret && again?.setSelectionRange && again.matches("input[type=text], textarea"))
      again.setSelectionRange(...caret);
  };
}

function find(scope, key) {
  const found = key && scope?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  return found || null;
}
