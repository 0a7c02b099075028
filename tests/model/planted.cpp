// Faults that the model must find, put between it and the library: preload it, and MODEL_PLANT says which.
//
//   loss         a received message of one part is thrown away
//   duplicate    it is received twice
//   reorder      the next one is received before it
//   torn         the first part of several is thrown away
//   breach       high water marks are set a thousand higher
//   leak         a received message is kept for ever
//   descriptor   a closed socket leaves a descriptor
//
// Threads: any; one lock.
#include <dlfcn.h>
#include <unistd.h>
#include <zmq.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "body.hpp"

namespace {

template <typename Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

const std::string& planted() {
    static const std::string name = std::getenv("MODEL_PLANT") ? std::getenv("MODEL_PLANT") : "";
    return name;
}

std::mutex mutex;
std::map<void*, zmq_msg_t> kept;
model::Random dice(1);

bool is_due(std::uint32_t chances) {
    const std::lock_guard<std::mutex> lock(mutex);
    return dice.one_in(chances);
}

// The first part of a message of the test.
bool is_head(zmq_msg_t* message) {
    const auto* const data = static_cast<const char*>(zmq_msg_data(message));
    return model::find_head(data, zmq_msg_size(message), false) >= 0 ||
           model::find_head(data, zmq_msg_size(message), true) >= 0;
}

void keep(void* socket, zmq_msg_t* message) {
    zmq_msg_t copy;
    zmq_msg_init(&copy);
    zmq_msg_copy(&copy, message);
    const std::lock_guard<std::mutex> lock(mutex);
    if (!kept.emplace(socket, copy).second)
        zmq_msg_close(&copy);
}

bool take_kept(void* socket, zmq_msg_t* message) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = kept.find(socket);
    if (found == kept.end())
        return false;
    zmq_msg_move(message, &found->second);
    kept.erase(found);
    return true;
}

} // namespace

extern "C" int zmq_msg_recv(zmq_msg_t* message, void* socket, int flags) {
    static const auto receive = real<int (*)(zmq_msg_t*, void*, int)>("zmq_msg_recv");
    if (take_kept(socket, message))
        return static_cast<int>(zmq_msg_size(message));
    const int result = receive(message, socket, flags);
    if (result < 0 || !is_head(message))
        return result;
    if (zmq_msg_more(message))
        return planted() == "torn" && is_due(50) ? receive(message, socket, ZMQ_DONTWAIT) : result;
    if (planted() == "loss" && is_due(200))
        return receive(message, socket, ZMQ_DONTWAIT);
    if (planted() == "duplicate" && is_due(200))
        keep(socket, message);
    if (planted() == "leak" && is_due(50)) {
        zmq_msg_t forgotten;
        zmq_msg_init(&forgotten);
        zmq_msg_copy(&forgotten, message);
    }
    if (planted() == "reorder" && is_due(50)) {
        zmq_msg_t next;
        zmq_msg_init(&next);
        if (receive(&next, socket, ZMQ_DONTWAIT) >= 0) {
            if (is_head(&next) && !zmq_msg_more(&next)) {
                keep(socket, message);
                zmq_msg_move(message, &next);
            } else {
                keep(socket, &next); // too large a change; only what was asked for
            }
        }
        zmq_msg_close(&next);
    }
    return static_cast<int>(zmq_msg_size(message));
}

extern "C" int zmq_setsockopt(void* socket, int option, const void* value, size_t size) {
    static const auto set = real<int (*)(void*, int, const void*, size_t)>("zmq_setsockopt");
    if (planted() == "breach" && (option == ZMQ_SNDHWM || option == ZMQ_RCVHWM) && size == sizeof(int)) {
        int mark = 0;
        std::memcpy(&mark, value, sizeof mark);
        mark += 1000;
        return set(socket, option, &mark, sizeof mark);
    }
    return set(socket, option, value, size);
}

extern "C" int zmq_close(void* socket) {
    static const auto close = real<int (*)(void*)>("zmq_close");
    {
        const std::lock_guard<std::mutex> lock(mutex);
        const auto found = kept.find(socket);
        if (found != kept.end()) {
            zmq_msg_close(&found->second);
            kept.erase(found);
        }
    }
    if (planted() == "descriptor" && is_due(5))
        (void)!::dup(2);
    return close(socket);
}
