/* Slack's short codes of emoji: those that the bot uses, and common ones. */

const TABLE = `
white_check_mark ✅|heavy_check_mark ✔️|x ❌|heavy_plus_sign ➕|heavy_minus_sign ➖|warning ⚠️|no_entry ⛔|no_entry_sign 🚫
triangular_flag_on_post 🚩|checkered_flag 🏁|waving_white_flag 🏳️|rocket 🚀|rewind ⏪|fast_forward ⏩|gear ⚙️|wrench 🔧|hammer 🔨
robot_face 🤖|bust_in_silhouette 👤|busts_in_silhouette 👥|speech_balloon 💬|left_speech_bubble 🗨️|thought_balloon 💭
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|timer_clock ⏲️|alarm_clock ⏰|clock3 🕒|double_vertical_bar ⏸️
pause_button ⏸️|arrow_forward ▶️|black_square_for_stop ⏹️|arrows_counterclockwise 🔄|repeat 🔁|arrow_up ⬆️|arrow_down ⬇️
arrow_right ➡️|arrow_left ⬅️|left_right_arrow ↔️|arrow_upper_right ↗️|arrow_lower_right ↘️|twisted_rightwards_arrows 🔀
red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣
white_circle ⚪|black_circle ⚫|large_green_square 🟩|large_red_square 🟥|large_yellow_square 🟨|white_large_square ⬜|black_large_square ⬛
eyes 👀|raised_hands 🙌|clap 👏|wave 👋|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|ok_hand 👌|pray 🙏|muscle 💪|point_right 👉|handshake 🤝
raising_hand 🙋|hand ✋|raised_hand ✋|smile 😄|smiley 😃|grin 😁|joy 😂|slightly_smiling_face 🙂|wink 😉|blush 😊|thinking_face 🤔
cry 😢|sob 😭|scream 😱|sweat_smile 😅|neutral_face 😐|confused 😕|open_mouth 😮|sunglasses 😎|heart ❤️|broken_heart 💔|fire 🔥
star ⭐|sparkles ✨|tada 🎉|100 💯|bulb 💡|zap ⚡|boom 💥|dart 🎯|trophy 🏆|medal 🏅|gift 🎁|coffee ☕|pizza 🍕|bell 🔔|no_bell 🔕
mega 📣|loudspeaker 📢|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|shield 🛡️|mag 🔍|mag_right 🔎|pushpin 📌|round_pushpin 📍
paperclip 📎|link 🔗|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|file_folder 📁|open_file_folder 📂|books 📚|book 📖
bookmark 🔖|label 🏷️|package 📦|inbox_tray 📥|outbox_tray 📤|email 📧|envelope ✉️|incoming_envelope 📨|telephone_receiver 📞|iphone 📱
computer 💻|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|calendar 📅|date 📅|credit_card 💳|moneybag 💰|bank 🏦
question ❓|grey_question ❔|exclamation ❗|bangbang ‼️|information_source ℹ️|sos 🆘|new 🆕|free 🆓|up 🆙|ok 🆗|recycle ♻️|rotating_light 🚨
construction 🚧|stop_sign 🛑|octagonal_sign 🛑|ambulance 🚑|bug 🐛|ghost 👻|see_no_evil 🙈|snail 🐌|turtle 🐢|seedling 🌱|test_tube 🧪
microscope 🔬|abacus 🧮|balance_scale ⚖️|scales ⚖️|scissors ✂️|wastebasket 🗑️|broom 🧹|magic_wand 🪄|crystal_ball 🔮|brain 🧠|performing_arts 🎭
mortar_board 🎓|zzz 💤|sleeping 😴|back 🔙|end 🔚|soon 🔜|one 1️⃣|two 2️⃣|three 3️⃣|a 🅰️|b 🅱️|medal_military 🎖️|ballot_box_with_check ☑️
newspaper 📰|hammer_and_wrench 🛠️|leftwards_arrow_with_hook ↩️|heavy_multiplication_x ✖️|arrow_right_hook ↪️|small_red_triangle 🔺|small_red_triangle_down 🔻|shrug 🤷|face_with_monocle 🧐|exploding_head 🤯|hugging_face 🤗|crossed_fingers 🤞|writing_hand ✍️|speaking_head_in_silhouette 🗣️|mute 🔇`;

const BY_NAME = new Map(
  TABLE.trim()
    .split(/[|\n]/)
    .map((entry) => entry.trim().split(" ")),
);

/** What people are offered to react with. */
export const OFFERED = [
  "white_check_mark",
  "eyes",
  "raised_hands",
  "+1",
  "-1",
  "heart",
  "tada",
  "joy",
  "thinking_face",
  "pray",
  "fire",
  "100",
  "triangular_flag_on_post",
  "question",
  "x",
  "rocket",
  "wave",
  "sob",
  "bulb",
  "bug",
  "hourglass_flowing_sand",
  "warning",
  "clap",
  "muscle",
];

/** The emoji of a short code, or the code between colons where it isn't known. */
export function emoji(name) {
  return BY_NAME.get(name.replace(/::skin-tone-\d/, "")) ?? `:${name}:`;
}

/** The characters of a short code as Slack writes them (`2764-fe0f`); nothing where it isn't known. */
export const unicodeOf = (name) =>
  [...(BY_NAME.get(name) ?? "")]
    .map((character) => character.codePointAt(0).toString(16).padStart(4, "0"))
    .join("-");

/** A text with its short codes replaced by emoji. */
export function emojified(text) {
  return text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => BY_NAME.get(name) ?? whole);
}

/** The words of a `plain_text` object: its short codes are emoji unless it says no. */
export const worded = (text) => (text?.emoji === false ? text.text : emojified(text?.text ?? ""));
