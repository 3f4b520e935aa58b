resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
  size = 1
  tags = { n = test_thing.a.note }
}
