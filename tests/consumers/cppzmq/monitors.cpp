// monitor_t: the events of a server and a client, by its callbacks.
#include "say.hpp"

#include <thread>
#include <vector>

namespace {

class Diary : public zmq::monitor_t {
  public:
    std::vector<std::string> entries;
    bool has(const std::string &entry) const {
        for (const std::string &each : entries)
            if (each == entry) return true;
        return false;
    }
    // Reads events until the entry is there.
    void wait_for(const std::string &entry) {
        for (int i = 0; i < 200 && !has(entry); ++i) (void)check_event(100);
        if (!has(entry)) std::cout << "no " << entry << '\n';
        CHECK(has(entry));
    }

  private:
    void note(const char *what, const char *address) {
        CHECK(std::string(address).substr(0, 6) == "tcp://");
        entries.push_back(what);
    }
    void on_monitor_started() override { entries.push_back("started"); }
    void on_event_listening(const zmq_event_t &, const char *a) override { note("listening", a); }
    void on_event_accepted(const zmq_event_t &, const char *a) override { note("accepted", a); }
    void on_event_connected(const zmq_event_t &, const char *a) override { note("connected", a); }
    void on_event_connect_delayed(const zmq_event_t &, const char *a) override { note("delayed", a); }
    void on_event_disconnected(const zmq_event_t &, const char *a) override { note("disconnected", a); }
    void on_event_closed(const zmq_event_t &, const char *a) override { note("closed", a); }
    void on_event_handshake_succeeded(const zmq_event_t &, const char *a) override { note("handshake", a); }
    void on_event_handshake_failed_protocol(const zmq_event_t &e, const char *a) override {
        note("protocol", a);
        CHECK(e.value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
    }
};

void tell(const char *whose, const Diary &diary) {
    std::cout << whose;
    for (const std::string &entry : diary.entries) std::cout << ' ' << entry;
    std::cout << '\n';
}

} // namespace

int main() {
    zmq::context_t context;
    zmq::socket_t server(context, zmq::socket_type::rep);
    Diary of_server, of_client, of_stranger;
    of_server.init(server, "inproc://server-events");
    const std::string address = bind_any(server, "tcp://127.0.0.1:*");
    of_server.wait_for("listening");
    {
        zmq::socket_t client(context, zmq::socket_type::req);
        of_client.init(client, std::string("inproc://client-events"), ZMQ_EVENT_ALL);
        client.connect(address);
        of_client.wait_for("handshake");
        of_server.wait_for("handshake");
        client.set(zmq::sockopt::linger, 0);
        client.close();
        of_server.wait_for("disconnected");
    }
    {
        zmq::socket_t stranger(context, zmq::socket_type::req);
        of_stranger.init(stranger, "inproc://stranger-events");
        stranger.set(zmq::sockopt::plain_username, "who");
        stranger.set(zmq::sockopt::plain_password, "what");
        stranger.connect(address);
        of_stranger.wait_for("protocol");
        of_server.wait_for("protocol");
    }
    tell("server:", of_server);
    tell("client:", of_client);
    tell("stranger:", of_stranger);

    // abort() ends monitor() in another thread.
    Diary again;
    zmq::socket_t other(context, zmq::socket_type::pull);
    again.init(other, "inproc://other-events");
    std::thread thread([&] { while (again.check_event(-1)) {} });
    again.abort();
    thread.join();
    std::cout << "aborted\n";
}
