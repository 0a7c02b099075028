// InprocNames: the inproc names of one context, who bound them, and pipes that wait for a binder.
// Threads: any; one lock. A poster may hold its socket's turn; nothing here takes a turn.
// Owner:   the Context.
#ifndef TERN_SOCKET_INPROC_HPP
#define TERN_SOCKET_INPROC_HPP

#include "base/error.hpp"
#include "flow/pipe.hpp"

#include <initializer_list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tern {

// What the two sides of an inproc connection know of each other: options as they were at bind or
// connect.
struct InprocSide {
    Mailbox *mailbox = nullptr;
    int socket_type = -1; // of a binder
    std::string routing_id;
    int send_hwm = 0;
    int receive_hwm = 0;
    bool conflate = false;
    std::string hello_message;      // "" for none
    std::string disconnect_message; // the same; of a binder
};

class InprocNames {
  public:
    ~InprocNames();
    // EADDRINUSE when the name is taken. Hands every pipe that waited for it to the binder.
    Error bind(const std::string &name, const InprocSide &binder);
    // False when this binder does not hold the name.
    bool unbind(const std::string &name, const Mailbox *binder);
    // A new pair whose near end is the caller's. Null when there is no memory.
    PipePair *connect(const std::string &name, const InprocSide &connecter);
    // The same for those who do not wait for a binder: ENOENT when there is none, and
    // ENOCOMPATPROTO when it has none of these types.
    Result<PipePair *> connect_to_bound(const std::string &name, const InprocSide &connecter,
                                        std::initializer_list<int> binder_types);

  private:
    struct Waiting {
        PipePair *pair;
        InprocSide connecter;
    };
    static PipePair *make_pair(const InprocSide &connecter);
    static void join(PipePair &pair, const InprocSide &connecter, const InprocSide &binder);

    std::mutex mutex_;
    std::unordered_map<std::string, InprocSide> bound_;
    std::unordered_map<std::string, std::vector<Waiting>> waiting_;
};

} // namespace tern

#endif
