data "test_lookup" "l" {
  name = "l"
}

resource "test_thing" "a" {
  name = "a"
}
