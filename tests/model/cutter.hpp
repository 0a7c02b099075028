// A TCP relay between connecting and bound sockets that cuts, delays and splits what passes.
// Threads: one of its own relays; any thread may give orders.
// Owner: the player of a program.
// Limit: 256 KiB wait in each direction of a connection, then the sender feels it.
#ifndef TERN_TESTS_MODEL_CUTTER_HPP
#define TERN_TESTS_MODEL_CUTTER_HPP

#include <netinet/in.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace model {

class Cutter final {
  public:
    // Listens at `address`, and passes on to `port` there.
    struct Route {
        sockaddr_in listen;
        sockaddr_in target;
    };

    explicit Cutter(const std::vector<Route>& routes);
    ~Cutter();
    Cutter(const Cutter&) = delete;
    Cutter& operator=(const Cutter&) = delete;

    bool is_open() const { return is_open_; }
    // Returns when all connections of the route are closed, and nothing more passes on them.
    void cut(int route);
    // Each piece waits so long, and is at most so large; 0: no delay, no limit.
    void set_delay(int route, int delay_ms) { lines_[route]->delay_ms = delay_ms; }
    void set_piece(int route, int bytes) { lines_[route]->piece = bytes; }

  private:
    struct Connection;
    struct Line {
        Route route;
        int listener = -1;
        std::atomic<int> delay_ms{0};
        std::atomic<int> piece{0};
        std::atomic<unsigned> cuts_asked{0};
        std::atomic<unsigned> cuts_done{0};
        std::vector<std::unique_ptr<Connection>> connections;
    };

    void relay();
    static bool move(Line& line, Connection& connection);

    std::vector<std::unique_ptr<Line>> lines_;
    bool is_open_ = true;
    std::atomic<bool> is_ending_{false};
    int wake_[2] = {-1, -1};
    std::thread thread_;
};

} // namespace model

#endif
