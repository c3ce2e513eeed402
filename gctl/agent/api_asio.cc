#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <thread>
#include <utility>  // before Asio 1.74, which forgets it

#include "gctl/agent/api.h"
#include "gctl/agent/api_core.h"

namespace gaggle {

namespace asio = boost::asio;

// Touched on the api thread only, but for `io`.
struct Api::Impl {
    std::function<void(node::ApiRequest)> ask;
    std::function<void(std::uint64_t)> cancel;
    ApiCore core;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    asio::steady_timer timer{io};
    std::map<ExchangeId, Responder> clients;
    ExchangeId next_exchange = 1;
    std::thread thread;

    static TimePoint now() {
        return TimePoint(std::chrono::duration_cast<Duration>(
            std::chrono::steady_clock::now().time_since_epoch()));
    }
    static WallTime wall() {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
    }

    void step(ApiCore::Input input) {
        ApiEffects effects = core.step({now(), wall()}, std::move(input));
        for (ToClient& one : effects.clients)
            std::visit([&](auto& what) { carry_out(one.exchange, what); }, one.what);
        for (const std::uint64_t id : effects.cancels) cancel(id);
        for (node::ApiRequest& request : effects.asks) ask(std::move(request));
        wake_up();
    }

    void carry_out(ExchangeId id, ToClient::Send& what) {
        if (const auto node = clients.extract(id)) node.mapped().send(std::move(what.response));
    }
    void carry_out(ExchangeId id, ToClient::BeginStream& what) {
        if (const auto at = clients.find(id); at != clients.end())
            at->second.begin_stream(std::move(what.head));
    }
    void carry_out(ExchangeId id, ToClient::AcceptWebSocket&) {
        if (const auto at = clients.find(id); at != clients.end())
            at->second.accept_web_socket([this, id](std::string text) {
                post(ApiCore::Message{id, std::move(text)});
            });
    }
    void carry_out(ExchangeId id, ToClient::Listen&) {
        if (const auto at = clients.find(id); at != clients.end()) at->second.listen();
    }
    void carry_out(ExchangeId id, ToClient::Piece& what) {
        const auto at = clients.find(id);
        if (at == clients.end()) return;
        std::function<void()> written;
        if (what.wants_written) written = [this, id] { post(ApiCore::Written{id}); };
        at->second.piece(std::move(what.data), std::move(written));
    }
    void carry_out(ExchangeId id, ToClient::EndStream&) {
        if (const auto node = clients.extract(id)) node.mapped().end_stream();
    }

    void carry_out(ExchangeId id, ToClient::BreakStream& what) {
        if (const auto node = clients.extract(id)) node.mapped().fail_stream(std::move(what.why));
    }

    void post(ApiCore::Input input) {
        asio::post(io, [this, input = std::move(input)]() mutable { step(std::move(input)); });
    }

    void wake_up() {
        const std::optional<TimePoint> due = core.next_wakeup();
        if (!due || *due == TimePoint::max()) return void(timer.cancel());
        timer.expires_after(std::max(Duration(0), *due - now()));
        timer.async_wait([this](boost::system::error_code failed) {
            if (!failed) step(ApiCore::Tick{});
        });
    }
};

Api::Api(std::function<void(node::ApiRequest)> ask, std::function<void(std::uint64_t)> cancel,
         ApiInfo info)
    : impl_(new Impl{
          .ask = std::move(ask), .cancel = std::move(cancel), .core = ApiCore(std::move(info))}) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->io.run(); });
    pthread_setname_np(impl_->thread.native_handle(), "api");
}

Api::~Api() { stop(); }

void Api::handle(HttpRequest request, Responder responder) {
    // Shared by the two closures below: the number is given on the api thread, asked for on both.
    const auto id = std::make_shared<ExchangeId>(0);
    Impl* impl = impl_.get();
    responder.on_gone([impl, id] {
        asio::post(impl->io, [impl, id] {
            impl->clients.erase(*id);
            impl->step(ApiCore::Gone{*id});
        });
    });
    asio::post(impl->io, [impl, id, request = std::move(request),
                          responder = std::move(responder)]() mutable {
        *id = impl->next_exchange++;
        impl->clients.emplace(*id, std::move(responder));
        impl->step(ApiCore::Arrived{*id, std::move(request)});
    });
}

void Api::reply(node::ApiReply reply) { impl_->post(std::move(reply)); }

void Api::stop() {
    if (!impl_->thread.joinable()) return;
    impl_->io.stop();
    impl_->thread.join();
    impl_->clients.clear();
}

}  // namespace gaggle
