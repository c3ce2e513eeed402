// What a stream asks of the node: reads of logs or files, and the query that waits beside them.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/gctl/agent/api_world.h"

namespace gaggle {

/// The questions of a world by their kinds, answered in any order.
class Questions {
  public:
    explicit Questions(ApiWorld& world) : world_(world) {}
    std::size_t reads() const { return of<node::AskPeer>().size(); }
    std::size_t lists() const { return of<node::Query>().size(); }
    /// Answers the oldest of that kind, wherever it stands.
    template <class Kind>
    void reply(NodeReply what) {
        const auto found = of<Kind>();
        REQUIRE(!found.empty());
        std::rotate(world_.questions.begin(), world_.questions.begin() + found.front(),
                    world_.questions.begin() + found.front() + 1);
        world_.reply(std::move(what));
    }
    void list(node::Answer answer) {
        reply<node::Query>(NodeReply(node::ApiReply::What(std::move(answer))));
    }
    const node::Query& query() const {
        REQUIRE(lists() > 0);
        return std::get<node::Query>(
            world_.questions.at(static_cast<std::size_t>(of<node::Query>().front())).what);
    }

  private:
    template <class Kind>
    std::vector<long> of() const {
        std::vector<long> out;
        for (std::size_t at = 0; at < world_.questions.size(); ++at)
            if (std::holds_alternative<Kind>(world_.questions[at].what))
                out.push_back(static_cast<long>(at));
        return out;
    }
    ApiWorld& world_;
};

}  // namespace gaggle
