// The agent's API as the commands use it: documents in and out, errors that say what to do next.
//
// Every call names what it is for ("list jobs"), because that is how its error begins.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gctl/cli/http_client.h"
#include "gctl/cli/json.h"
#include "gctl/cli/model.h"
#include "placement/jobspec/value.h"

namespace gaggle::cli {

using Query = std::vector<std::pair<std::string, std::string>>;

class Api {
  public:
    /// `token_hint` says why no token was found, when none was; shown when the agent wants one.
    Api(HttpClient http, std::string token_hint, std::string name_space)
        : http_(std::move(http)),
          token_hint_(std::move(token_hint)),
          name_space_(std::move(name_space)) {}

    Result<Value> get(const std::string& purpose, const std::string& path,
                      const Query& query = {}) const;
    Result<Value> put(const std::string& purpose, const std::string& path, const std::string& body,
                      const Query& query = {}) const;
    Result<Value> remove(const std::string& purpose, const std::string& path,
                         const Query& query) const;
    /// Raw text of a streamed GET, piece by piece; `piece` returns false to end it.
    Result<void> follow(const std::string& purpose, const std::string& path, const Query& query,
                        const std::function<bool(std::string_view)>& piece) const;

    /// A command in a task, to its end; its exit code.
    Result<int> exec(const std::string& purpose, const std::string& path, const Query& query,
                     const ExecStyle& style) const;

    const HttpAddress& address() const { return http_.address(); }

  private:
    Result<Value> ask(const std::string& purpose, const char* method, const std::string& target,
                      const std::string& body) const;
    std::string target_of(const std::string& path, Query query) const;
    Error unreachable(const std::string& purpose, const Error& error) const;
    Error refused(const std::string& purpose, const HttpReply& reply) const;

    HttpClient http_;
    std::string token_hint_;
    std::string name_space_;
};

/// The full id of the one job, allocation, evaluation or node that `prefix` names. `not_found`, or
/// `invalid` with the list when there are several. An exact id wins; nodes may be named by name.
Result<std::string> resolve_job(const Api& api, const std::string& prefix);
Result<std::string> resolve_alloc(const Api& api, const std::string& prefix);
/// What names the allocation to look into.
struct AllocWanted {
    std::string id;       ///< of an allocation, or of a job
    bool by_job = false;  ///< the job's newest running allocation that has the task
    std::string task;     ///< empty: any
};
Result<std::string> alloc_to_ask(const Api& api, const AllocWanted& wanted);
/// The ids and states of the jobs that were dispatched from this one, newest first.
Result<std::vector<JobStub>> dispatched_jobs(const Api& api, const std::string& job);
Result<std::string> resolve_eval(const Api& api, const std::string& prefix);
Result<std::string> resolve_node(const Api& api, const std::string& prefix);

}  // namespace gaggle::cli
