// An echo server over uWebSockets: uwebsockets_echo PORT, on the loopback interface, one thread.
// benches/compare/README.md says how to build it.
#include "App.h"

#include <cstdlib>
#include <iostream>

namespace {

struct PerSocketData {};

}  // namespace

int main(int argc, char **argv) {
    const int port = argc == 2 ? std::atoi(argv[1]) : 0;
    if (port <= 0 || port > 65535) {
        std::cerr << "usage: uwebsockets_echo PORT\n";
        return 2;
    }
    uWS::App app;
    uWS::App::WebSocketBehavior<PerSocketData> behavior;
    behavior.compression = uWS::DISABLED;
    // As much as the servers that it is compared with take.
    behavior.maxPayloadLength = 64 << 20;
    behavior.maxBackpressure = 64 << 20;
    // With an interval of keepalive pings, as those have.
    behavior.idleTimeout = 120;
    behavior.sendPingsAutomatically = true;
    behavior.message = [](auto *socket, std::string_view message, uWS::OpCode opcode) {
        socket->send(message, opcode, false);
    };
    bool listening = false;
    app.ws<PerSocketData>("/*", std::move(behavior));
    app.listen("127.0.0.1", port, [&](auto *socket) { listening = socket != nullptr; });
    if (!listening) {
        std::cerr << "cannot listen on 127.0.0.1:" << port << '\n';
        return 1;
    }
    app.run();
    return 0;
}
