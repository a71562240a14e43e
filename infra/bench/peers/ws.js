// node `ws`: one text per update, sent to every client, compression off.
const { WebSocketServer } = require("ws");
const { follow, port } = require("./published");

const server = new WebSocketServer({ port, host: "127.0.0.1", backlog: 4096, perMessageDeflate: false });
follow((text) => {
  const frame = Buffer.from(text); // encoded once, not once per client
  for (const client of server.clients) {
    if (client.readyState === 1) client.send(frame, { binary: false });
  }
});
