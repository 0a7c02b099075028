// Ring: a queue with two ends in one block of memory, which is made for the first element and doubled
// when it is full. While nothing was ever put in it holds no memory (an empty std::deque holds 600
// bytes).
// Threads: as a plain container. Owner: whoever has it as a member.
// Limit:   none; the block never shrinks.
#ifndef TERN_BASE_RING_HPP
#define TERN_BASE_RING_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace tern {

template <class T>
class Ring {
  public:
    // Over the elements from the front on.
    template <class R, class E>
    class Place {
      public:
        Place(R &ring, uint32_t at) : ring_(&ring), at_(at) {}
        E &operator*() const { return (*ring_)[at_]; }
        E *operator->() const { return &(*ring_)[at_]; }
        Place &operator++() {
            ++at_;
            return *this;
        }
        bool operator!=(const Place &other) const { return at_ != other.at_; }

      private:
        R *ring_;
        uint32_t at_;
    };

    Ring() = default;
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;
    ~Ring() {
        clear();
        std::allocator<T>().deallocate(block_, capacity_);
    }

    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    T &operator[](size_t at) { return block_[(head_ + at) & (capacity_ - 1)]; }
    const T &operator[](size_t at) const { return block_[(head_ + at) & (capacity_ - 1)]; }
    T &front() { return (*this)[0]; }
    T &back() { return (*this)[size_ - 1]; }
    Place<Ring, T> begin() { return {*this, 0}; }
    Place<Ring, T> end() { return {*this, size_}; }
    Place<const Ring, const T> begin() const { return {*this, 0}; }
    Place<const Ring, const T> end() const { return {*this, size_}; }

    template <class... Arguments>
    T &emplace_back(Arguments &&...arguments) {
        if (size_ == capacity_) grow();
        T *const place = &(*this)[size_];
        new (place) T(std::forward<Arguments>(arguments)...);
        ++size_;
        return *place;
    }
    void push_back(T element) { emplace_back(std::move(element)); }
    void push_front(T element) {
        if (size_ == capacity_) grow();
        const uint32_t head = (head_ - 1) & (capacity_ - 1);
        new (&block_[head]) T(std::move(element));
        head_ = head;
        ++size_;
    }
    void pop_front() {
        front().~T();
        head_ = (head_ + 1) & (capacity_ - 1);
        --size_;
    }
    void pop_back() {
        back().~T();
        --size_;
    }
    // Takes every element out that is equal to this one; the others keep their order.
    void remove(const T &unwanted) {
        size_t kept = 0;
        for (size_t at = 0; at < size_; ++at) {
            if ((*this)[at] == unwanted) continue;
            if (kept != at) (*this)[kept] = std::move((*this)[at]);
            ++kept;
        }
        while (size_ > kept) pop_back();
    }
    void clear() {
        while (size_ > 0) pop_back();
    }

  private:
    static constexpr uint32_t first_capacity = 2;

    void grow() {
        const uint32_t capacity = capacity_ == 0 ? first_capacity : capacity_ * 2;
        T *const block = std::allocator<T>().allocate(capacity);
        for (uint32_t at = 0; at < size_; ++at) {
            new (&block[at]) T(std::move((*this)[at]));
            (*this)[at].~T();
        }
        std::allocator<T>().deallocate(block_, capacity_);
        block_ = block;
        capacity_ = capacity;
        head_ = 0;
    }

    T *block_ = nullptr;
    uint32_t capacity_ = 0; // a power of two, or none
    uint32_t head_ = 0;
    uint32_t size_ = 0;
};

} // namespace tern

#endif
