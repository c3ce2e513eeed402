#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <utility>  // before Asio 1.74, which forgets it

#include "gctl/agent/loop.h"

namespace gaggle::agent {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

struct EventLoop::Impl {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> stay{io.get_executor()};
    asio::steady_timer alarm{io};
    asio::signal_set signals{io};
    std::function<void(int)> signalled;
    std::size_t connect_tests = 0;

    void wait_for_signal() {
        signals.async_wait([this](error_code failed, int signal) {
            if (failed) return;
            wait_for_signal();
            signalled(signal);
        });
    }
};

namespace {

ConnectOutcome outcome_of(error_code failed) {
    if (!failed) return ConnectOutcome::accepted;
    return failed == asio::error::connection_refused ? ConnectOutcome::refused
                                                     : ConnectOutcome::silent;
}

/// One bare connect. Shared by its own pending operations, the last of which ends it.
class ConnectTest : public std::enable_shared_from_this<ConnectTest> {
  public:
    ConnectTest(asio::io_context& io, std::function<void(ConnectOutcome)> done)
        : resolver_(io), socket_(io), deadline_(io), done_(std::move(done)) {}

    void start(const std::string& host, std::uint16_t port) {
        deadline_.expires_after(kConnectTimeout);
        deadline_.async_wait([self = shared_from_this()](error_code cancelled) {
            if (!cancelled) self->finish(ConnectOutcome::silent);
        });
        error_code is_a_name;
        const auto address = asio::ip::make_address(host, is_a_name);
        if (!is_a_name) return connect({address, port});
        resolver_.async_resolve(host, std::to_string(port),
                                [self = shared_from_this()](error_code failed, const auto& found) {
                                    if (failed || found.empty())
                                        return self->finish(ConnectOutcome::silent);
                                    self->connect(found.begin()->endpoint());
                                });
    }

  private:
    void connect(const tcp::endpoint& to) {
        socket_.async_connect(to, [self = shared_from_this()](error_code failed) {
            self->finish(outcome_of(failed));
        });
    }

    void finish(ConnectOutcome outcome) {
        const auto done = std::exchange(done_, nullptr);
        if (!done) return;
        error_code ignored;
        deadline_.cancel(ignored);
        resolver_.cancel();
        socket_.close(ignored);
        done(outcome);
    }

    tcp::resolver resolver_;
    tcp::socket socket_;
    asio::steady_timer deadline_;
    std::function<void(ConnectOutcome)> done_;
};

}  // namespace

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

// Asio's timers do not run while the machine sleeps. After a suspend an alarm is late by no more
// than it had left, and the node's are never far away.
void EventLoop::set_alarm(Duration from_now, std::function<void()> ring) {
    impl_->alarm.expires_after(from_now);
    impl_->alarm.async_wait([ring = std::move(ring)](error_code cancelled) {
        if (!cancelled) ring();
    });
}

void EventLoop::after(Duration from_now, std::function<void()> then) {
    // Shared with the handler, which keeps the timer alive until it rings.
    auto timer = std::make_shared<asio::steady_timer>(impl_->io, from_now);
    timer->async_wait([timer, then = std::move(then)](error_code cancelled) {
        if (!cancelled) then();
    });
}

void EventLoop::on_signal(std::function<void(int)> handle) {
    impl_->signalled = std::move(handle);
    impl_->signals.add(SIGTERM);
    impl_->signals.add(SIGINT);
    struct sigaction before {};
    if (::sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
        impl_->signals.add(SIGHUP);
    impl_->wait_for_signal();
}

void EventLoop::test_connect(const Endpoint& endpoint, std::function<void(ConnectOutcome)> done) {
    // An empty name would be this machine itself.
    if (impl_->connect_tests >= kConnectTestsMax || endpoint.host.empty())
        return post([done = std::move(done)] { done(ConnectOutcome::silent); });
    ++impl_->connect_tests;
    const auto count = [impl = impl_.get(), done = std::move(done)](ConnectOutcome outcome) {
        --impl->connect_tests;
        done(outcome);
    };
    std::make_shared<ConnectTest>(impl_->io, count)->start(endpoint.host, endpoint.base_port);
}

void EventLoop::run() { impl_->io.run(); }
void EventLoop::stop() { impl_->io.stop(); }

}  // namespace gaggle::agent
