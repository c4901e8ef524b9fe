/**
 * A bad connection. In: the address of the stack. Out: an address that behaves like it, until a test makes its answers
 * fail, its sockets break or its messages disappear. It counts what went through.
 */

export interface Proxy {
  url: string;
  /** Paths of HTTP requests so far. */
  readonly requests: string[];
  /** Loses what the server says on sockets; what the client says goes through. */
  swallow: boolean;
  /** How many messages were lost. */
  swallowed: number;
  /** Answers HTTP requests in place of the server, where it returns a response. */
  intercept: (request: Request) => Response | null | Promise<Response | null>;
  /** Sends a request on to the server, as it does with those that are not intercepted. */
  forward(request: Request): Promise<Response>;
  /** Breaks every open socket. Returns how many there were. */
  dropSockets(): number;
  stop(): Promise<void>;
}

export function startProxy(targetUrl: string): Proxy {
  const sockets = new Set<WebSocket>();
  const abort = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: abort.signal },
    handle,
  );

  const proxy: Proxy = {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests: [],
    swallow: false,
    swallowed: 0,
    intercept: () => null,
    forward,
    dropSockets() {
      const open = [...sockets];
      for (const socket of open) socket.close();
      return open.length;
    },
    async stop() {
      proxy.dropSockets();
      abort.abort();
      await server.finished;
    },
  };
  return proxy;

  async function handle(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return pipeSocket(request);
    proxy.requests.push(new URL(request.url).pathname);
    return await proxy.intercept(request) ?? await forward(request);
  }

  async function forward(request: Request): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.delete("host");
    const body = request.body ? await request.arrayBuffer() : null;
    return await fetch(targetOf(request), { method: request.method, headers, body, redirect: "manual" });
  }

  function targetOf(request: Request): URL {
    const { pathname, search } = new URL(request.url);
    return new URL(pathname + search, targetUrl);
  }

  function pipeSocket(request: Request): Response {
    const { socket: client, response } = Deno.upgradeWebSocket(request);
    const target = targetOf(request);
    target.protocol = "ws:";
    const server = new WebSocket(target);
    client.binaryType = server.binaryType = "arraybuffer";
    const waiting: string[] = [];
    sockets.add(client);
    client.onmessage = ({ data }) =>
      server.readyState === WebSocket.OPEN ? server.send(data) : waiting.push(data);
    server.onopen = () => waiting.splice(0).forEach((data) => server.send(data));
    server.onmessage = ({ data }) => {
      if (proxy.swallow) proxy.swallowed++;
      else if (client.readyState === WebSocket.OPEN) client.send(data);
    };
    client.onclose = () => {
      sockets.delete(client);
      if (server.readyState <= WebSocket.OPEN) server.close();
    };
    server.onclose = () => {
      if (client.readyState === WebSocket.OPEN) client.close();
    };
    client.onerror = server.onerror = () => {};
    return response;
  }
}
