#include "cutter.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>

namespace model {

namespace {

constexpr std::size_t waiting_bytes_max = 256 * 1024;

using Clock = std::chrono::steady_clock;

struct Direction {
    int from = -1;
    int to = -1;
    bool from_ended = false;
    bool to_ended = false;
    std::size_t bytes = 0;
    struct Piece {
        Clock::time_point due;
        std::vector<char> data;
        std::size_t begin;
    };
    std::deque<Piece> pieces;
};

} // namespace

struct Cutter::Connection {
    Direction directions[2];

    ~Connection() {
        ::close(directions[0].from);
        ::close(directions[0].to);
    }
};

Cutter::Cutter(const std::vector<Route>& routes) {
    for (const Route& route : routes) {
        auto line = std::make_unique<Line>();
        line->route = route;
        line->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int one = 1;
        ::setsockopt(line->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (::bind(line->listener, reinterpret_cast<const sockaddr*>(&route.listen), sizeof route.listen) != 0 ||
            ::listen(line->listener, 100) != 0)
            is_open_ = false;
        lines_.push_back(std::move(line));
    }
    if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0)
        is_open_ = false;
    else if (!lines_.empty())
        thread_ = std::thread([this] { relay(); });
}

Cutter::~Cutter() {
    is_ending_ = true;
    if (thread_.joinable()) {
        (void)!::write(wake_[1], "", 1);
        thread_.join();
    }
    for (const auto& line : lines_)
        ::close(line->listener);
    ::close(wake_[0]);
    ::close(wake_[1]);
}

void Cutter::cut(int route) {
    Line& line = *lines_[route];
    const unsigned asked = ++line.cuts_asked;
    (void)!::write(wake_[1], "", 1);
    while (static_cast<int>(line.cuts_done.load() - asked) < 0)
        std::this_thread::yield();
}

// False when the connection is over.
bool Cutter::move(Line& line, Connection& connection) {
    const auto now = Clock::now();
    for (Direction& way : connection.directions) {
        while (!way.from_ended && way.bytes < waiting_bytes_max) {
            char data[16384];
            const int piece = line.piece;
            const std::size_t wanted = piece > 0 ? std::min<std::size_t>(sizeof data, piece) : sizeof data;
            const ssize_t count = ::recv(way.from, data, wanted, 0);
            if (count > 0) {
                way.pieces.push_back({now + std::chrono::milliseconds(line.delay_ms),
                                      std::vector<char>(data, data + count), 0});
                way.bytes += static_cast<std::size_t>(count);
            } else if (count == 0) {
                way.from_ended = true;
            } else if (errno == EAGAIN) {
                break;
            } else if (errno != EINTR) {
                return false;
            }
        }
        while (!way.pieces.empty() && way.pieces.front().due <= now) {
            Direction::Piece& piece = way.pieces.front();
            const ssize_t count =
                ::send(way.to, piece.data.data() + piece.begin, piece.data.size() - piece.begin, MSG_NOSIGNAL);
            if (count < 0) {
                if (errno == EAGAIN)
                    break;
                return false;
            }
            way.bytes -= static_cast<std::size_t>(count);
            piece.begin += static_cast<std::size_t>(count);
            if (piece.begin == piece.data.size())
                way.pieces.pop_front();
        }
        if (way.from_ended && way.pieces.empty() && !way.to_ended) {
            way.to_ended = true;
            ::shutdown(way.to, SHUT_WR);
        }
    }
    return !(connection.directions[0].to_ended && connection.directions[1].to_ended);
}

void Cutter::relay() {
    while (!is_ending_) {
        std::vector<pollfd> items{{wake_[0], POLLIN, 0}};
        int timeout_ms = 1000;
        for (const auto& line : lines_) {
            items.push_back({line->listener, POLLIN, 0});
            for (const auto& connection : line->connections)
                for (int side = 0; side < 2; ++side) {
                    const Direction& out = connection->directions[side];
                    const Direction& in = connection->directions[1 - side];
                    short events = 0;
                    if (!out.from_ended && out.bytes < waiting_bytes_max)
                        events |= POLLIN;
                    if (!in.pieces.empty()) {
                        if (in.pieces.front().due <= Clock::now())
                            events |= POLLOUT;
                        else
                            timeout_ms = 1;
                    }
                    if (events != 0)
                        items.push_back({out.from, events, 0});
                }
        }
        ::poll(items.data(), items.size(), timeout_ms);
        char bytes[64];
        while (::read(wake_[0], bytes, sizeof bytes) > 0) {
        }
        for (const auto& line : lines_) {
            const unsigned asked = line->cuts_asked;
            if (asked != line->cuts_done) {
                line->connections.clear();
                line->cuts_done = asked;
            }
            for (;;) {
                const int accepted = ::accept4(line->listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (accepted < 0)
                    break;
                const int target = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (::connect(target, reinterpret_cast<const sockaddr*>(&line->route.target),
                              sizeof line->route.target) != 0) {
                    ::close(target);
                    ::close(accepted);
                    continue;
                }
                ::fcntl(target, F_SETFL, O_NONBLOCK);
                auto connection = std::make_unique<Connection>();
                connection->directions[0].from = connection->directions[1].to = accepted;
                connection->directions[0].to = connection->directions[1].from = target;
                line->connections.push_back(std::move(connection));
            }
            auto& all = line->connections;
            all.erase(std::remove_if(all.begin(), all.end(),
                                     [&](const auto& connection) { return !move(*line, *connection); }),
                      all.end());
        }
    }
    for (const auto& line : lines_)
        line->connections.clear();
}

} // namespace model
