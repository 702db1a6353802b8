/* Asking the stand-in: what a person sees, and what they do. */

/** What could not be done, in words for whoever tried. */
export class Refused extends Error {
  constructor(answer) {
    const details = (answer.response_metadata?.messages ?? []).filter(Boolean).join(" ");
    super(
      WORDS[answer.error] ??
        `The stand-in refused this: ${[answer.error, details, answer.detail].filter(Boolean).join(" ")}`,
    );
    this.code = answer.error;
    this.details = details;
  }
}

const TEAM = new URLSearchParams(location.search).get("team") ?? "T0STANDIN";

const WORDS = {
  not_acknowledged: "We had some trouble connecting: the app did not answer in time. Try again?",
  no_such_button: "This button is no longer there: the message has changed meanwhile.",
  no_such_field: "This is no longer there: the message has changed meanwhile.",
  no_home: "This Home is no longer open.",
  not_supported_in_threads: "Slash commands are not supported in threads.",
  is_archived: "This channel is archived.",
  message_not_found: "This message is gone.",
  no_open_view: "This form is no longer open.",
  unreachable: "The stand-in can't be reached. Is `understudy up` running?",
  field_required: "Please fill in what is required.",
  too_long: "This is too long.",
  cant_update_message: "You can change your own messages only.",
  cant_delete_message: "You can delete your own messages only.",
};

/** Do something as a person; throws Refused. */
export async function act(name, given) {
  const body = JSON.stringify({ team: TEAM, ...given });
  return answered(`/standin/${name}`, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
  });
}

/** All that a person sees. */
export async function screen({ me, channel, thread, newest }) {
  const query = new URLSearchParams({
    team: TEAM,
    user: me,
    newest,
    ...(channel && { channel }),
    ...(thread && { thread }),
  });
  return answered(`/slack/screen?${query}`);
}

/** The state's number, as soon as it is another than `after`. */
export async function changes(after, signal) {
  return (await answered(`/standin/changes?after=${after}&timeout=20`, { signal })).revision;
}

async function answered(address, options) {
  let answer;
  try {
    answer = await (await fetch(address, options)).json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ error: "unreachable" });
  }
  if (!answer.ok) throw new Refused(answer);
  return answer;
}
