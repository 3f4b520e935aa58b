resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  note = join(",", test_thing.a[*].name)
}
