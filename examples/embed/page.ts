/**
 * The app's page: starts a session by HTTP and shows what arrives by WebSocket.
 *
 * @module
 */
export const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Sessions</title>
<h1>Sessions</h1>
<form><input name="project" value="demo" aria-label="Project"> <button>Start a session</button></form>
<ol></ol>
<script type="module">
  const url = new URL("live/ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", data: { channel: "global" } }));
  socket.onmessage = ({ data }) => show(JSON.parse(data));
  socket.onclose = ({ code, reason }) => show({ event: "closed", data: { code, reason } });

  document.forms[0].onsubmit = (submit) => {
    submit.preventDefault();
    fetch("live/api/requests/start_session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ project: document.forms[0].project.value }),
    });
  };

  function show({ event, data }) {
    const line = document.createElement("li");
    line.textContent = event + " " + JSON.stringify(data);
    document.querySelector("ol").append(line);
  }
</script>
`;
