resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
  size = 1
  depends_on = [test_thing.a]
}
