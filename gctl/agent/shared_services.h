// The catalogue of services, shared by the thread that gets the news and those that look: "dns",
// and the workers that render templates. The lock is held for the time of one look.
#pragma once

#include <mutex>
#include <utility>

#include "gctl/node/service_book.h"

namespace gaggle {

class SharedServices {
  public:
    void take(node::ServicesOf news) {
        const std::lock_guard guard(lock_);
        book_.take(std::move(news));
    }
    /// `look(book)` must not keep the reference.
    template <class Look>
    auto look(const Look& look) const {
        const std::lock_guard guard(lock_);
        return look(std::as_const(book_));
    }

  private:
    mutable std::mutex lock_;
    node::ServiceBook book_;
};

}  // namespace gaggle
