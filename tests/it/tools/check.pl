use strict; use warnings;
use JSON::PP; use Monitoring::Plugin::Performance;
local $/; my $output = <STDIN>;
my ($first, $rest) = split /\n/, $output, 2;
my ($text, $data, $more) = split /\|/, $first, 3;
die "a second bar" if defined $more;
die "long output with a bar" if defined $rest && $rest =~ /\|/;
my @found;
for my $one (Monitoring::Plugin::Performance->parse_perfstring($data)) {
    my %found = (label => $one->label, value => $one->value + 0, uom => $one->uom, min => $one->min);
    for my $kind (qw(warning critical)) {
        $found{$kind} = $one->threshold->$kind->check_range($one->value) ? JSON::PP::true : JSON::PP::false
            if $one->threshold->$kind->is_set;
    }
    push @found, \%found;
}
print encode_json({ text => $text, data => \@found });
