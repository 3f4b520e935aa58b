provider "test" {
  alias = "new"
}

resource "test_thing" "a" {
  name = "a"
  provider = test.new
}
