#include "control/http_download.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sidestream::control {
namespace {

constexpr std::size_t chunk_line_bytes_max = 1024;
constexpr std::size_t chunk_digits_max = 8;

bool has_no_body(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

HttpProgress HttpDownload::fail(HttpError error) {
  error_ = error;
  progress_ = HttpProgress::failed;
  return progress_;
}

HttpProgress HttpDownload::feed(Bytes bytes) {
  if (progress_ != HttpProgress::need_more) {
    return bytes.empty() || progress_ == HttpProgress::failed ? progress_
                                                              : fail(HttpError::body_too_large);
  }
  if (!has_head()) {
    const HttpFramer::Fed fed = head_.feed(bytes);
    if (fed.progress == HttpProgress::failed) return fail(*head_.failure());
    if (fed.progress == HttpProgress::need_more) return progress_;
    bytes = bytes.subspan(fed.consumed);
    begin_body();
  }
  feed_body(text_of(bytes));
  return progress_;
}

void HttpDownload::begin_body() {
  const auto status = parse_status_line(head_.start_line());
  if (!status) {
    fail(HttpError::bad_start_line);
    return;
  }
  status_ = *status;
  const std::string* coding = find_field(head_.fields(), "transfer-encoding");
  if (has_no_body(status_)) {
    body_ = Body::with_length;
    progress_ = HttpProgress::done;
  } else if (coding != nullptr) {
    body_ = Body::chunk_size;
    if (*coding != "chunked") fail(HttpError::length_required);
  } else if (find_field(head_.fields(), "content-length") == nullptr) {
    body_ = Body::until_end;
  } else {
    body_ = Body::with_length;
    const auto length = head_.content_length();
    if (!length) {
      fail(length.error());
      return;
    }
    left_ = *length;
    if (left_ == 0) progress_ = HttpProgress::done;
  }
}

void HttpDownload::append(std::string_view text) {
  if (text.size() > limits_.body_bytes_max - waiting_.size()) {
    fail(HttpError::body_too_large);
    return;
  }
  waiting_.append(text);
}

std::optional<std::string> HttpDownload::feed_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::size_t count = std::min(end == std::string_view::npos ? end : end + 1, text.size());
  line_.append(text.substr(0, std::min(count, chunk_line_bytes_max + 1)));
  text.remove_prefix(count);
  if (line_.size() > chunk_line_bytes_max) {
    fail(HttpError::bad_field);
    return std::nullopt;
  }
  if (!line_.ends_with('\n')) return std::nullopt;
  std::string line = std::exchange(line_, "");
  if (!line.ends_with("\r\n")) {
    fail(HttpError::bad_field);
    return std::nullopt;
  }
  line.resize(line.size() - 2);
  return line;
}

// Section 7.1.1: what follows a semicolon is ignored.
void HttpDownload::read_chunk_size(const std::string& line) {
  const std::string digits = line.substr(0, line.find_first_of("; \t"));
  const char* const end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, left_, 16);
  if (digits.empty() || digits.size() > chunk_digits_max || code != std::errc{} || stop != end)
    fail(HttpError::bad_content_length);
  else
    body_ = left_ == 0 ? Body::trailer : Body::chunk;
}

void HttpDownload::feed_body(std::string_view text) {
  while (progress_ == HttpProgress::need_more && !text.empty()) {
    if (body_ == Body::until_end) {
      append(std::exchange(text, {}));
    } else if (body_ == Body::with_length || body_ == Body::chunk) {
      const std::size_t count = std::min(left_, text.size());
      append(text.substr(0, count));
      text.remove_prefix(count);
      left_ -= count;
      if (left_ > 0 || progress_ == HttpProgress::failed) continue;
      if (body_ == Body::chunk)
        body_ = Body::chunk_end;
      else
        progress_ = HttpProgress::done;
    } else if (const auto line = feed_line(text)) {
      if (body_ == Body::chunk_size) {
        read_chunk_size(*line);
      } else if (body_ == Body::chunk_end) {
        if (!line->empty()) fail(HttpError::bad_content_length);
        body_ = Body::chunk_size;
      } else if (line->empty()) {
        progress_ = HttpProgress::done;
      } else if ((trailers_ += line->size()) > limits_.header_bytes_max) {
        fail(HttpError::header_too_large);
      }
    }
  }
  if (progress_ == HttpProgress::done && !text.empty()) fail(HttpError::body_too_large);
}

HttpProgress HttpDownload::feed_end() {
  if (progress_ == HttpProgress::need_more)
    progress_ = body_ == Body::until_end ? HttpProgress::done : HttpProgress::failed;
  return progress_;
}

std::string HttpDownload::take() {
  return std::exchange(waiting_, "");
}

}  // namespace sidestream::control
