#!/usr/bin/env bash
# The germline analysis as a bioinformatician writes it by hand: the same tools with the same
# options as `helixmesh run`, on CORES cores, without journal, digests, checks, report or sandbox.
# It is told what the product finds out by itself: the sex is XY, the caller is freebayes.
#
#   plain.sh R1 R2 BUNDLE PAR_BED SAMPLE CORES OUT
set -euo pipefail
r1=$1 r2=$2 bundle=$3 par=$4 sample=$5 cores=$6 out=$7
export LC_ALL=C TZ=UTC
mkdir -p "$out/calls" && cd "$out"
export ref=$bundle/ref.fa
jar=${HELIXMESH_SNPEFF_JAR:-/usr/share/java/snpeff.jar}
# Its configuration tells where the database is by a path beside itself.
mkdir snpeff && cp "$bundle/snpeff/snpEff.config" snpeff/ && ln -s "$bundle/snpeff/genes" snpeff/

fastp -i "$r1" -I "$r2" --stdout -w 1 -j fastp.json -h fastp.html 2>fastp.log |
  bwa mem -K 100000000 -p -Y -t "$cores" \
    -R "@RG\\tID:$sample\\tSM:$sample\\tLB:$sample\\tPL:ILLUMINA" "$ref" - 2>bwa.log |
  samtools fixmate --no-PG -u -m - - |
  samtools sort --no-PG -u -@ 1 -m 768M -T sort.tmp - 2>sort.log |
  samtools markdup --no-PG -@ "$cores" -l 300 -f markdup.txt -T markdup.tmp --write-index - \
    'aligned.bam##idx##aligned.bam.bai'

# The three passes share the cores.
printf '%s\n' \
  'samtools stats -d aligned.bam >stats.txt' \
  'samtools coverage aligned.bam >coverage.tsv' \
  'samtools flagstat -O json aligned.bam >flagstat.json' |
  xargs -P "$cores" -d '\n' -I {} bash -c '{}'

# One copy of X and Y outside of the pseudo-autosomal regions.
awk -v OFS='\t' -v sample="$sample" '
  FNR == NR { length_of[$1] = $2; next }
  { if ($2 > at[$1]) print $1, at[$1] + 0, $2, sample, 1; at[$1] = $3 }
  END { for (c in at) if (at[c] < length_of[c]) print c, at[c], length_of[c], sample, 1 }
' "$ref.fai" "$par" | sort -k1,1 -k2,2n >copies.bed

# Coding exons below 20x, or 10x where one copy is expected, beside the calls.
low_coverage() {
  zcat "$bundle/genes.gff3.gz" |
    awk -F '\t' -v OFS='\t' '
      $3 == "gene" && match($9, /Name=[^;]*/) {
        name = substr($9, RSTART + 5, RLENGTH - 5); sub(/;.*/, "", $9); name_of[substr($9, 4)] = name
      }
      $3 == "mRNA" { split($9, f, "[=;]"); gene_of[f[2]] = f[4] }
      $3 == "CDS" { split($9, f, "="); row[++n] = $1 OFS $4 - 1 OFS $5; transcript[n] = f[2] }
      END { for (i = 1; i <= n; i++) print row[i], name_of[gene_of[transcript[i]]] }
    ' |
    sort -k1,1 -k2,2n |
    awk -v OFS='\t' '
      $1 == c && $2 <= e { if ($3 > e) e = $3; if (g != $4) g = g "," $4; next }
      c != "" { print c, s, e, g }
      { c = $1; s = $2; e = $3; g = $4 }
      END { if (c != "") print c, s, e, g }
    ' >exons.bed
  samtools view -u -M -L exons.bed aligned.bam |
    samtools depth -aa -J -s -q 20 -Q 20 -b exons.bed - |
    awk -v OFS='\t' '
      FILENAME == "copies.bed" { h++; hc[h] = $1; hs[h] = $2; he[h] = $3; next }
      function out() { if (at != "") print c, at - 1, last, sum / (last - at + 1); at = "" }
      {
        least = 20
        for (i = 1; i <= h; i++) if ($1 == hc[i] && $2 > hs[i] && $2 <= he[i]) least = 10
        if (at != "" && ($1 != c || $2 != last + 1 || $3 >= least)) out()
        if ($3 >= least) next
        if (at == "") { c = $1; at = $2; sum = 0 }
        last = $2; sum += $3
      }
      END { out() }
    ' copies.bed - >low-coverage.bed
}
low_coverage &
covered=$!

call() {
  local contig=$1 options=()
  case $contig in
    chrX | chrY) options=(--cnv-map copies.bed) ;;
    chrM) options=(-p 1 --pooled-continuous -F 0.05 -C 3) ;;
  esac
  freebayes -f "$ref" -r "$contig" "${options[@]}" aligned.bam |
    bcftools norm --no-version -f "$ref" -m -any -Ou - 2>/dev/null |
    bcftools norm --no-version -d exact -Ou - 2>/dev/null |
    bcftools view --no-version -Oz -o "calls/$contig.vcf.gz" -
}
export -f call
cut -f 1 "$ref.fai" | xargs -P "$cores" -I {} bash -c 'set -euo pipefail; call {}'

mapfile -t parts < <(cut -f 1 "$ref.fai" | sed 's|.*|calls/&.vcf.gz|')
bcftools concat --no-version -Oz -o unfiltered.vcf.gz "${parts[@]}" 2>concat.log
tabix -f -p vcf unfiltered.vcf.gz
bcftools view --no-version -i 'GT="alt" && (QUAL>1 || CHROM="chrM")' -Ou unfiltered.vcf.gz |
  bcftools filter --no-version -s LowConf -e 'QUAL<=20' -Oz -o filtered.vcf.gz -
tabix -f -p vcf filtered.vcf.gz

bcftools norm -f "$ref" -m -any -c w --no-version -Ov filtered.vcf.gz 2>norm.log |
  bcftools csq -p a -f "$ref" -g "$bundle/genes.gff3.gz" --no-version -Ov - 2>csq.log |
  java -Xmx4096m -XX:+UseSerialGC -XX:-UsePerfData -Djava.awt.headless=true -jar "$jar" \
    ann -noStats -noLog -nodownload -no-downstream -no-upstream -no-intergenic \
    -c snpeff/snpEff.config genes 2>snpeff.log |
  bcftools view --no-version -Oz - >effects.vcf.gz
bcftools index -f -t effects.vcf.gz
from=effects.vcf.gz
annotate() {
  bcftools annotate -a "$bundle/$1.vcf.gz" -c "$2" --no-version -Oz -o "with-$1.vcf.gz" "$from"
  from=with-$1.vcf.gz
  bcftools index -f -t "$from"
}
clinvar=INFO/CLNVID:=ID,INFO/CLNSIG,INFO/CLNSIGCONF,INFO/CLNREVSTAT,INFO/CLNDN,INFO/CLNHGVS
annotate clinvar "$clinvar,INFO/CLNVC,INFO/GENEINFO,INFO/RS"
annotate dbsnp ID
annotate gnomad INFO/GNOMAD_AF:=INFO/AF
wait "$covered"
mv "$from" annotated.vcf.gz
mv "$from.tbi" annotated.vcf.gz.tbi
