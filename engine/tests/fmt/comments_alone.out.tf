#no space
# indented
// slashes
block {
  # inside
  # deep
  a = [
    # in a list
    1,
    // last
  ]
}
# end
