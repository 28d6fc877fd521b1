// Shows the server the token of its link: from the address, where it stands once, else as kept.
const KEPT = "ivan-token";

const kept = (change) => {
  try {
    return change(window.localStorage);
  } catch {
    return null;  // a browser that keeps nothing: the link serves for one visit
  }
};

const take = () => {
  const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (given) {
    kept((storage) => storage.setItem(KEPT, given));
    window.history.replaceState(
      window.history.state, "", window.location.pathname + window.location.search);
  }
  return given;
};

export default function ({ data, setStateValue }) {
  if (!window.ivanToken) {
    window.ivanToken = { answered: "" };
    // The link opened where the page is open already: that alone loads nothing.
    window.addEventListener("hashchange", () => { if (take()) window.location.reload(); });
  }
  const given = take();
  if (data.refused && !given) kept((storage) => storage.removeItem(KEPT));  // of an earlier server
  // Once a session: a second answer would draw the page again, under somebody's press.
  if (window.ivanToken.answered === data.session) return;
  window.ivanToken.answered = data.session;
  setStateValue("token", given || kept((storage) => storage.getItem(KEPT)) || "none");
}
