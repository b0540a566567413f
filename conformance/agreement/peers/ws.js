// An echo server on ws.
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  maxPayload: 16 << 20,
  perMessageDeflate: { threshold: 0 },
});
server.on("connection", (socket) => {
  // Most cases break the protocol: that is no error here.
  socket.on("error", () => {});
  socket.on("message", (data, binary) => socket.send(data, { binary }));
});
