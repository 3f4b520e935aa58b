resource "test_thing" "b" {
  name = "b"
}

resource "test_thing" "a" {
  name = "a"
  depends_on = [test_thing.b]
}
