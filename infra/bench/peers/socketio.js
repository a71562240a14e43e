// Socket.IO: every client in one room, one emit per update, WebSocket only, compression off.
const http = require("node:http").createServer();
const { Server } = require("socket.io");
const { follow, port } = require("./published");

const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => socket.join("bench"));
follow((text) => io.to("bench").emit("u", JSON.parse(text)));
http.listen({ port, host: "127.0.0.1", backlog: 4096 });
