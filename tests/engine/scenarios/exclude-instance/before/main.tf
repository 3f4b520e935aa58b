resource "test_thing" "a" {
  count = 3
  name = "a${count.index}"
}
