#include "socket/context.hpp"

#include "os/fences.hpp"
#include "os/memory_wait.hpp"
#include "os/wait_word.hpp"
#include "socket/handle.hpp"
#include "socket/socket.hpp"

#include <climits>

namespace tern {

Result<std::shared_ptr<Context>> Context::create() {
    prepare_fences();
    prepare_memory_wait();
    std::shared_ptr<Context> context(new Context);
    return context;
}

Context::~Context() {
    if (is_inherited()) { // the threads are the parent's
        for (auto &loop : loops_) (void)loop.release();
        return;
    }
    resolver_.stop();
    ticket_seekers_.stop();
    ticket_readers_.stop();
    loops_.clear();
}

Error Context::set_option(int option, const void *value, size_t size) {
    std::lock_guard<std::mutex> guard(mutex_);
    defaults_ = {};
    return set_context_option(options_, option, value, size);
}

Error Context::get_option(int option, void *value, size_t *size) {
    std::lock_guard<std::mutex> guard(mutex_);
    return get_context_option(options_, option, value, size);
}

// Under mutex_.
Error Context::start_threads() {
    const std::string prefix =
        options_.thread_name_prefix.empty() ? "" : options_.thread_name_prefix + "/";
    std::vector<std::unique_ptr<Loop>> loops; // all, or none
    for (int i = 0; i < options_.io_threads; ++i) {
        auto loop = std::make_unique<Loop>();
        ThreadSettings settings;
        settings.name = prefix + "ZMQbg/IO/" + std::to_string(i);
        settings.priority = options_.thread_priority;
        settings.sched_policy = options_.thread_sched_policy;
        settings.cpus = options_.thread_affinity_cpus;
        if (const Error error = loop->start(std::move(settings))) return error;
        loops.push_back(std::move(loop));
    }
    loops_ = std::move(loops);
    max_sockets_ = options_.max_sockets;
    started_ = true;
    return err::none;
}

// Under mutex_.
std::shared_ptr<const Options> Context::defaults_of(int socket_type) {
    auto &defaults = defaults_[size_t(socket_type)];
    if (!defaults)
        defaults = std::make_shared<const Options>(Options::defaults(socket_type, options_));
    return defaults;
}

Result<void *> Context::make_socket(int type) {
    std::lock_guard<std::mutex> guard(mutex_);
    if (is_terminating()) return err::terminated;
    if (!started_) {
        if (const Error error = start_threads()) return error == Error(EAGAIN) ? err::no_memory : error;
    }
    if (slots_ >= max_sockets_) return err::too_many_files;
    if (type < 0 || type >= socket_types) return err::invalid;
    auto socket = Socket::create(*this, type, defaults_of(type));
    if (!socket) return socket.error();
    (*socket)->place_in_context = sockets_.size();
    sockets_.push_back(*socket);
    void *handle = make_handle(HandleKind::socket, std::move(*socket));
    if (!handle) {
        sockets_.pop_back();
        return err::no_memory;
    }
    ++slots_;
    return handle;
}

bool Context::reserve_slot() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (slots_ >= max_sockets_) return false;
    ++slots_;
    return true;
}

void Context::release_slot() {
    std::lock_guard<std::mutex> guard(mutex_);
    --slots_;
}

Loop *Context::choose_loop(uint64_t affinity) {
    Loop *best = nullptr;
    for (size_t i = 0; i < loops_.size(); ++i) {
        if (affinity != 0 && (i >= 64 || !(affinity >> i & 1))) continue;
        if (!best || loops_[i]->load.load() < best->load.load()) best = loops_[i].get();
    }
    return best;
}

void Context::socket_finished(Socket *socket) {
    std::shared_ptr<Socket> held; // let go of after the lock
    std::lock_guard<std::mutex> guard(mutex_);
    const size_t place = socket->place_in_context;
    held = std::move(sockets_[place]);
    if (place + 1 < sockets_.size()) {
        sockets_[place] = std::move(sockets_.back());
        sockets_[place]->place_in_context = place;
    }
    sockets_.pop_back();
    --slots_;
    if (!sockets_.empty()) return;
    finished_.fetch_add(1);
    wake_sleepers(finished_, INT_MAX);
}

void Context::shut_down() {
    const WaitsForMemory waits;
    std::vector<std::shared_ptr<Socket>> sockets;
    {
        std::lock_guard<std::mutex> guard(mutex_);
        terminating_.store(true, std::memory_order_release);
        sockets = sockets_;
    }
    for (const auto &socket : sockets) socket->terminate();
}

Error Context::terminate() {
    if (is_inherited()) return err::interrupted; // FRK-1: the parent's sockets will never close here
    shut_down();
    for (;;) {
        const uint32_t seen = finished_.load();
        {
            std::lock_guard<std::mutex> guard(mutex_);
            if (sockets_.empty()) return err::none;
        }
        if (!sleep_while(finished_, seen, never)) return err::interrupted;
    }
}

} // namespace tern
