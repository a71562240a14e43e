// Passes texts published in Redis to `take`. Arguments: PORT REDIS_PORT CHANNEL.
const { createClient } = require("@redis/client");

const [, , port, redisPort, channel] = process.argv;

exports.port = Number(port);

exports.follow = async (take) => {
  const socket = { host: "127.0.0.1", port: Number(redisPort) };
  const client = createClient({ socket, password: process.env.REDIS_PASSWORD });
  client.on("error", (error) => { throw error; });
  await client.connect();
  await client.subscribe(channel, take);
};
