// Entry point of the inside tests.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
