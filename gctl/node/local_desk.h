// Where this peer takes in what others ask of it alone, and gives the answers back.
//
// A question is repeated until its answer arrives, and frames get lost: so one that is under way is
// not begun again, and what counts once is answered from memory when it is asked again. What is
// done is somebody else's business; the desk knows who asked.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr std::size_t kLocalWorkMax = 256;        ///< under way; more are refused in words
constexpr std::size_t kLocalShareMax = 128;       ///< of one asker, of those
constexpr Duration kAnswerRemembered = 30s;       ///< longer than anybody repeats a question
constexpr std::size_t kAnswersRemembered = 1024;  ///< the oldest go

class LocalDesk {
  public:
    /// A number for the work that is to be begun; nothing when it is under way, was answered from
    /// memory, or was refused.
    std::optional<std::uint64_t> take_in(Now now, const PeerId& from, const AskLocal& ask,
                                         Outbox& out);
    /// Once for each number; a number that is not known is ignored.
    void done(Now now, std::uint64_t work, Result<LocalAnswer> answer, Outbox& out);

    /// Who waits for it; requires that it is under way.
    const PeerId& asker(std::uint64_t work) const { return under_way_.at(work).asked.first; }
    std::size_t under_way() const { return under_way_.size(); }

  private:
    using Asked = std::pair<PeerId, std::uint64_t>;  ///< who, and its number of the request
    struct Work {
        Asked asked;
        bool once = false;
    };
    struct Remembered {
        TimePoint until;
        LocalAnswered answer;
    };
    void forget(TimePoint now);

    std::map<std::uint64_t, Work> under_way_;
    std::set<Asked> asked_;                 ///< of `under_way_`
    std::map<PeerId, std::size_t> shares_;  ///< of `under_way_`
    std::map<Asked, Remembered> remembered_;
    std::uint64_t next_work_ = 1;
};

}  // namespace gaggle::node
