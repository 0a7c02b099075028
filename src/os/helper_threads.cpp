#include "os/helper_threads.hpp"

#include "os/memory_wait.hpp"
#include "os/thread.hpp"

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

namespace tern {

namespace {
// A name server that does not answer keeps one for each name, for some seconds each time.
constexpr int threads_max = 64;
}

struct HelperThreads::Shared {
    const char *thread_name = nullptr;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Job> jobs;
    int threads = 0;
    int idle = 0;
    bool stopping = false;

    static void work(const std::shared_ptr<Shared> &shared) {
        const WaitsForMemory waits;
        std::unique_lock<std::mutex> lock(shared->mutex);
        for (;;) {
            ++shared->idle;
            // Nobody keeps a thread for a second job that may never come.
            shared->changed.wait_for(lock, std::chrono::seconds(2), [&shared] {
                return shared->stopping || !shared->jobs.empty();
            });
            --shared->idle;
            if (shared->stopping || shared->jobs.empty()) break;
            const Job job = std::move(shared->jobs.front());
            shared->jobs.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
        --shared->threads;
        shared->changed.notify_all();
    }
};

HelperThreads::HelperThreads(const char *thread_name) : shared_(std::make_shared<Shared>()) {
    shared_->thread_name = thread_name;
}

bool HelperThreads::run(Job job) {
    std::unique_lock<std::mutex> lock(shared_->mutex);
    if (shared_->stopping) return false;
    shared_->jobs.push_back(std::move(job));
    if (shared_->idle == 0 && shared_->threads < threads_max) {
        ThreadSettings settings;
        settings.name = shared_->thread_name;
        if (start_detached(settings, [shared = shared_] { Shared::work(shared); })) {
            if (shared_->threads == 0) {
                shared_->jobs.pop_back();
                return false;
            }
        } else {
            ++shared_->threads;
        }
    }
    shared_->changed.notify_one();
    return true;
}

void HelperThreads::stop() {
    std::unique_lock<std::mutex> lock(shared_->mutex);
    shared_->stopping = true;
    shared_->jobs.clear();
    shared_->changed.notify_all();
    // Idle threads end at once; one that hangs is not waited for.
    shared_->changed.wait_for(lock, std::chrono::milliseconds(20),
                              [this] { return shared_->threads == 0; });
}

} // namespace tern
