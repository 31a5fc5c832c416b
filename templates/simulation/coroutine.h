// Coroutines with stacks of their own, switched without a system call.
//
// ucontext makes a coroutine, since only it can start a function on another stack; after that
// _setjmp and _longjmp switch, since swapcontext saves the signal mask with a system call each
// time (measured: about nine times slower). Everything runs in one thread of the host.
//
// AddressSanitizer is told of every switch. It forgets the red zones around locals at each one,
// unless ASAN_OPTIONS=detect_stack_use_after_return=1 keeps locals elsewhere.
//
// Not meant for anything but region.h. Linux with glibc only.
#pragma once

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SIMULATION_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMULATION_ASAN 1
#endif
#endif

#ifdef SIMULATION_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace simulation {

//! glibc's _longjmp under a name of ours: with _FORTIFY_SOURCE the plain name becomes a variant
//! that aborts when the target lies on another stack, which is the very purpose here.
extern "C" [[noreturn]] void eie_simulation_longjmp(jmp_buf, int) __asm__("_longjmp");

//! Stacks for coroutines, kept for the next one: a test bench runs thousands of short regions, and
//! mapping memory would dominate them.
class stack_pool {
 public:
  //! Bytes of a stack. Only touched pages take memory, so this is generous; a page below it faults
  //! on overflow. Large arrays of a kernel are static in any case.
  static constexpr std::size_t kBytes = std::size_t{1} << 20;

  stack_pool() = default;
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;

  ~stack_pool() {
    for (char* stack : free_) munmap(stack - kGuardBytes, kGuardBytes + kBytes);
  }

  //! The one pool.
  static stack_pool& instance() {
    static stack_pool pool;
    return pool;
  }

  //! Lowest address of an unused stack.
  char* take() {
    if (!free_.empty()) {
      char* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    // Room to give the stack back, so that give_back() cannot throw.
    free_.reserve(++made_);
    void* memory = mmap(nullptr, kGuardBytes + kBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    mprotect(memory, kGuardBytes, PROT_NONE);
    return static_cast<char*>(memory) + kGuardBytes;
  }

  //! Keep a stack on which nothing runs any more.
  void give_back(char* stack) noexcept {
#ifdef SIMULATION_ASAN
    // The last frames never returned, so their red zones are still marked.
    ASAN_UNPOISON_MEMORY_REGION(stack, kBytes);
#endif
    free_.push_back(stack);
  }

 private:
  static constexpr std::size_t kGuardBytes = 1 << 16;  // a page on every host

  std::vector<char*> free_;
  std::size_t made_ = 0;
};

//! A flow of control that can be left and resumed.
class coroutine {
 public:
  //! The flow that is running now: a place for transfer() to come back to.
  coroutine() = default;

  //! A flow that runs `body(argument)` on its own stack once it is first resumed. `body` must end
  //! with exit_to().
  coroutine(void (*body)(void*), void* argument)
      : body_(body),
        argument_(argument),
        bottom_(stack_pool::instance().take()),
        owned_(true),
        started_(false) {}

  coroutine(const coroutine&) = delete;
  coroutine& operator=(const coroutine&) = delete;

  ~coroutine() {
    if (owned_) stack_pool::instance().give_back(static_cast<char*>(const_cast<void*>(bottom_)));
  }

  //! Leave `from`, which is running, and resume `to`; returns when `from` is resumed.
  __attribute__((noinline)) static void transfer(coroutine& from, coroutine& to) {
    before_switch(&from.fake_stack_, from, to);
    if (_setjmp(from.registers_) == 0) to.resume();
    after_switch(from.fake_stack_);
  }

  //! Leave the running coroutine for good. Its stack must hold no object with a destructor.
  [[noreturn]] static void exit_to(coroutine& from, coroutine& to) {
    before_switch(nullptr, from, to);
    to.resume();
  }

  //! Whether it has been resumed before.
  bool started() const { return started_; }

 private:
  [[noreturn]] void resume() {
    if (started_) eie_simulation_longjmp(registers_, 1);
    started_ = true;
    // Not on the stack that is left here: AddressSanitizer would keep its red zones marked.
    static ucontext_t fresh;
    getcontext(&fresh);
    fresh.uc_link = nullptr;
    fresh.uc_stack.ss_sp = const_cast<void*>(bottom_);
    fresh.uc_stack.ss_size = bytes_;
    // makecontext passes only ints, so the coroutine hands itself over in a variable.
    makecontext(&fresh, &coroutine::start, 0);
    switching().to = this;
    setcontext(&fresh);
    __builtin_unreachable();
  }

  static void start() {
    after_switch(nullptr);
    coroutine& self = *switching().to;
    self.body_(self.argument_);
    __builtin_unreachable();
  }

  struct pair {
    coroutine* from;
    coroutine* to;
  };

  static pair& switching() {
    static pair latest{nullptr, nullptr};
    return latest;
  }

  // AddressSanitizer has to know the stack in use; the bounds of a flow that it did not see being
  // made (the test bench's) are what it tells on arrival.
#ifdef SIMULATION_ASAN
  static void before_switch(void** fake_stack, coroutine& from, coroutine& to) {
    switching().from = &from;
    __sanitizer_start_switch_fiber(fake_stack, to.bottom_, to.bytes_);
  }
  static void after_switch(void* fake_stack) {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &bytes);
    coroutine& left = *switching().from;
    if (!left.owned_) {
      left.bottom_ = bottom;
      left.bytes_ = bytes;
    }
  }
#else
  static void before_switch(void**, coroutine&, coroutine&) {}
  static void after_switch(void*) {}
#endif

  jmp_buf registers_;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t bytes_ = stack_pool::kBytes;
  bool owned_ = false;
  bool started_ = true;
};

}  // namespace simulation
