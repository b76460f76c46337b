// Boost.JSON itself, compiled once (Debian's header package has no library), in a file of its own
// so that a program which brings another copy links only one of them.
#include <boost/json/src.hpp>
