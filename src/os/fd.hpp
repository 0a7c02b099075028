// Fd: a descriptor with one owner. Move-only, closes itself, no implicit bool.
// Threads: like an int; closing is the owner's business.
#ifndef TERN_OS_FD_HPP
#define TERN_OS_FD_HPP

namespace tern {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd &&other) noexcept : number_(other.release()) {}
    Fd &operator=(Fd &&other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return number_; }
    bool is_open() const { return number_ >= 0; }
    int release() {
        const int number = number_;
        number_ = -1;
        return number;
    }
    // Closes what it holds and takes `number` instead.
    void reset(int number = -1);

  private:
    int number_ = -1;
};

} // namespace tern

#endif
