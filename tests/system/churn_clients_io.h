// The clients of churn: see churn_io.cpp.
#pragma once

#include <netinet/in.h>

#include <chrono>

namespace sidestream {

struct ChurnPlan {
  sockaddr_in where;
  std::chrono::seconds time;
  unsigned rate = 0;          // of short streams, a second
  unsigned long_streams = 0;  // each asks once a second
};

// Prints one line of JSON a minute and at the end. Whether every stream was as it should be.
bool run_churn(const ChurnPlan& plan);

}  // namespace sidestream
