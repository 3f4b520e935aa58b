resource "test_thing" "x" {
  name = "x"
  zone = "2"
}

resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
  zone = "2"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  parents = test_thing.a[*].id
}
