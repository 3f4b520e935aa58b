resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "d" {
  name = "d"
}
