resource "test_thing" "one" {
  name = "one"
}

resource "test_thing" "two" {
  name = "two"
}

provider "inner" {
  host = test_thing.one.endpoint
}
provider "inner" {
  alias = "two"
  host  = test_thing.two.endpoint
}

resource "inner_pod" "p" {
  name = "p"
  provider = inner.two
}
