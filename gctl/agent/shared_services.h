// The catalogue of services, shared by the thread that gets the news and those that look: "dns",
// and the worker that renders templates. The node's thread waits for the lock, so it is held while
// pointers are copied and no longer: a flood of questions delays no node.
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
    node::FoundServices find(const node::WantedService& wanted) const {
        return node::usable(offers(wanted), wanted);
    }
    std::vector<node::FoundService> all() const { return node::all_usable(all_offers()); }

  private:
    node::ServiceOffers offers(const node::WantedService& wanted) const {
        const std::lock_guard guard(lock_);
        return book_.offers(wanted);
    }
    std::vector<node::ServiceOffers> all_offers() const {
        const std::lock_guard guard(lock_);
        return book_.all_offers();
    }

    mutable std::mutex lock_;
    node::ServiceBook book_;
};

}  // namespace gaggle
