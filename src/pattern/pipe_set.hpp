// PipeSet: a few pipes, each once. One needs no memory beyond the eight bytes of the set itself;
// more lie in a block, sorted by address, so that one of many is found quickly. Threads: under the
// socket's turn. Owner: an entry of XPUB's subscriptions. Limit:   none; at most the number of
// pipes.
#ifndef TERN_PATTERN_PIPE_SET_HPP
#define TERN_PATTERN_PIPE_SET_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

namespace tern {

class Pipe;

class PipeSet {
  public:
    PipeSet() = default;
    PipeSet(PipeSet &&other) noexcept { std::swap(bytes_, other.bytes_); }
    PipeSet(const PipeSet &) = delete;
    PipeSet &operator=(const PipeSet &) = delete;
    ~PipeSet() { delete many(); }

    bool empty() const { return word() == 0; }
    // False when it is there already.
    bool insert(Pipe &pipe) {
        if (empty()) {
            set_word(reinterpret_cast<uintptr_t>(&pipe));
            return true;
        }
        if (Many *pipes = many()) {
            const auto place = place_of(*pipes, pipe);
            if (place != pipes->end() && *place == &pipe) return false;
            pipes->insert(place, &pipe);
            return true;
        }
        if (one() == &pipe) return false;
        Pipe *const other = one();
        const bool is_last = std::less<Pipe *>()(other, &pipe);
        Many *const both = is_last ? new Many{other, &pipe} : new Many{&pipe, other};
        set_word(reinterpret_cast<uintptr_t>(both) | is_many);
        return true;
    }
    // False when it is not there.
    bool erase(Pipe &pipe) {
        Many *pipes = many();
        if (!pipes) {
            if (one() != &pipe) return false;
            set_word(0);
            return true;
        }
        const auto place = place_of(*pipes, pipe);
        if (place == pipes->end() || *place != &pipe) return false;
        pipes->erase(place);
        if (pipes->size() > 1) return true;
        set_word(reinterpret_cast<uintptr_t>(pipes->front()));
        delete pipes;
        return true;
    }
    template <class Visit>
    void for_each(Visit visit) const {
        if (const Many *pipes = many()) {
            for (Pipe *pipe : *pipes) visit(*pipe);
        } else if (!empty()) {
            visit(*one());
        }
    }

  private:
    using Many = std::vector<Pipe *>;
    static constexpr uintptr_t is_many = 1;

    uintptr_t word() const {
        uintptr_t word;
        std::memcpy(&word, bytes_, sizeof word);
        return word;
    }
    void set_word(uintptr_t word) { std::memcpy(bytes_, &word, sizeof word); }
    Pipe *one() const { return reinterpret_cast<Pipe *>(word()); }
    Many *many() const {
        return word() & is_many ? reinterpret_cast<Many *>(word() & ~is_many) : nullptr;
    }
    static Many::iterator place_of(Many &pipes, Pipe &pipe) {
        return std::lower_bound(pipes.begin(), pipes.end(), &pipe, std::less<Pipe *>());
    }

    // A word that needs the alignment of four bytes only, as a topic trie gives it.
    alignas(4) unsigned char bytes_[sizeof(uintptr_t)] = {};
};

} // namespace tern

#endif
