// The one place in the tests where Boost.JSON itself is compiled (it has no library in Debian 12's
// header package).
#include <boost/json/src.hpp>
