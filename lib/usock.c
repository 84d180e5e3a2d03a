#include "usock.h"
